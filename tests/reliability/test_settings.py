"""Bad settings and corpora: one clear sentence, and nothing half-written."""

import json
import os
import shutil

import pytest
from speechbrain_petl.demo.corpora import write_small
from speechbrain_petl.training.command_line import check_overrides


@pytest.fixture
def yaml(root):
    """The YAML that most are tried on."""
    return root / "recipes" / "ESC50" / "hparams" / "adapter_hou_par.yaml"


@pytest.fixture
def root():
    """The repository."""
    from pathlib import Path

    return Path(__file__).parents[2]


@pytest.mark.parametrize(
    "options, message",
    [
        (
            ["--batchsize", "4"],
            "no option --batchsize .*; did you mean --batch_size",
        ),
        (["--lr", "fast"], "--lr is a number, such as 0.005, and not 'fast'"),
        (["--number_of_epochs", "2.5"], "--number_of_epochs is a whole number"),
        (["--number_of_epochs", "-1"], "--number_of_epochs .* not negative"),
        (["--download", "maybe"], "--download is True or False"),
        (
            ["--reduction_rate", "1000"],
            "reduction_rate 1000 leaves no unit of 192",
        ),
        (["--reduction_rate", "0"], "reduction_rate"),
        (["--position_embeddings", "ones"], "one of resize, zeros, not 'ones'"),
        (["--pooling", "max"], "pooling is one of"),
        (["--test_fold", "6"], "test_fold is 6.*1 to 5"),
        (["--train_folds", "[1,2]"], "give all three"),
        (["--shots", "99"], "Class .* has .* entries, but 99"),
        (["--shots", "0"], "at least 1"),
        (["--number_of_epochs", "0"], "no finished epoch in"),
        (["--batch_size=8"], "--batch_size is given 2 times"),
        (["--sample_rate", "0"], "sample_rate"),
        (["--feature_std", "0"], "feature_std|std"),
    ],
    ids=lambda value: value if isinstance(value, str) else "_".join(value),
)
def test_settings(options, message, yaml, arguments, fails, record, tmp_path):
    record("unknown, misspelt, doubled or impossible setting")
    import re

    said = fails(yaml, arguments("ESC50", tmp_path / "out", *options))
    assert re.search(message, said), said
    assert not (tmp_path / "out" / "results.json").exists()


@pytest.mark.parametrize("frames", ["0", "8", "10"])
def test_too_few_frames(frames, yaml, arguments, fails, record, tmp_path):
    record("max_length below one patch")
    args = arguments("ESC50", tmp_path / "out")
    args[args.index("--max_length") + 1] = frames
    assert "max_length" in fails(yaml, args)


def test_more_prompts_than_tokens(root, arguments, fails, record, tmp_path):
    record("prompts that do not fit")
    yaml = root / "recipes" / "ESC50" / "hparams" / "dpt.yaml"
    said = fails(yaml, arguments("ESC50", tmp_path / "out", "--n_prompts", "0"))
    assert "n_prompts" in said or "prompt" in said


@pytest.mark.parametrize("what", ["data_folder", "source"])
def test_a_folder_that_is_not_there(
    what, yaml, arguments, fails, record, tmp_path
):
    record("missing data folder or backbone")
    args = arguments("ESC50", tmp_path / "out")
    args[args.index(f"--{what}") + 1] = str(tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in fails(yaml, args)


def test_no_yaml_and_no_data_folder(yaml, fails, record, tmp_path):
    record("missing YAML, placeholder not filled in", 2)
    assert "There is no YAML file" in fails(yaml.with_name("no.yaml"), [])
    assert "data_folder" in fails(yaml, ["--output_folder", str(tmp_path)])


@pytest.fixture
def corpus(tmp_path):
    """A corpus to spoil."""
    return write_small("esc50", tmp_path / "ESC-50")


def test_another_corpus(yaml, arguments, corpora, fails, record, tmp_path):
    record("another corpus's folder")
    args = arguments("ESC50", tmp_path / "out")
    args[args.index("--data_folder") + 1] = str(corpora["UrbanSound8k"])
    assert "is not the root of ESC-50" in fails(yaml, args)


FIRST = "rising_glide"


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda t: t.replace("filename", "file", 1), "filename"),
        (lambda t: t.replace(",1,", ",first,", 1), "first"),
        (lambda t: t.replace(",1,", ",9,", 1), "9"),
        (lambda t: t + t.splitlines()[1] + "\n", "more than once"),
        (lambda t: t.splitlines()[0] + "\n", "no row|empty|No clip"),
        (lambda t: "", "empty|column|header"),
        (
            lambda t: t + "missing.wav,1,0,rising_glide\n",
            "line 42: column .* is missing",
        ),
        (
            lambda t: t.replace("\n", "\n../../", 2).replace("../../", "", 1),
            "not inside|\\.\\./",
        ),
        (lambda t: t.replace(",", ";"), "column|filename"),
        (lambda t: "\x00\xff" * 50, "column|filename|text|UTF-8|utf-8"),
    ],
    ids="column fold_text fold_number twice no_rows empty extra climbs separator "
    "binary".split(),
)
def test_metadata(
    spoil, message, yaml, arguments, corpus, fails, record, tmp_path
):
    import re

    record("missing, extra, doubled or malformed metadata")
    table = corpus / "meta" / "esc50.csv"
    table.write_text(spoil(table.read_text()), encoding="latin-1")
    args = arguments("ESC50", tmp_path / "out")
    args[args.index("--data_folder") + 1] = str(corpus)
    said = fails(yaml, args)
    assert re.search(message, said), said
    assert not list((tmp_path / "out").glob("manifest/*.json"))


@pytest.mark.slow
def test_a_read_only_data_folder_is_enough(
    yaml, arguments, corpus, train, record, tmp_path
):
    record("read-only data folder")
    for path in [corpus, *corpus.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = sorted((p, p.stat().st_mtime_ns) for p in corpus.rglob("*"))
    args = arguments("ESC50", tmp_path / "out", "--debug")
    args[args.index("--data_folder") + 1] = str(corpus)
    train(yaml, [*args, "--debug_persistently"])
    assert (
        sorted((p, p.stat().st_mtime_ns) for p in corpus.rglob("*")) == before
    )
    for path in [corpus, *corpus.rglob("*")]:
        path.chmod(0o755)


def test_an_output_folder_that_cannot_be(
    yaml, arguments, fails, record, tmp_path
):
    record("output folder that cannot be written")
    (tmp_path / "file").write_text("")
    said = fails(yaml, arguments("ESC50", tmp_path / "file" / "out"))
    assert str(tmp_path / "file") in said


@pytest.mark.slow
@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None,
    reason="mounting a small file system needs root",
)
@pytest.mark.parametrize("kilobytes", [16, 64, 400])
def test_a_full_disk(
    kilobytes, yaml, arguments, fails, train, record, tmp_path, monkeypatch
):
    """Whatever was reached, the same command finishes once there is room."""
    record("disk full")
    disk = tmp_path / "disk"
    disk.mkdir()
    command = f"mount -t tmpfs -o size={kilobytes}k tmpfs {disk} 2>/dev/null"
    if os.system(command):
        pytest.skip("this machine mounts nothing")
    try:
        args = arguments("ESC50", disk / "out", "--number_of_epochs", "2")
        said = fails(yaml, args)
        assert "space" in said or "disk" in said or "write" in said, said
        for file in (disk / "out").rglob("*.json"):
            json.loads(file.read_text())
        assert not (disk / "out" / "results.json").exists()
        assert not os.system(f"mount -o remount,size=64m {disk}")
        train(yaml, args)
        assert json.loads((disk / "out" / "results.json").read_text())
    finally:
        os.system(f"umount -l {disk}")


def test_what_is_checked_of_overrides():
    text = (
        "a: 1\nb: 0.5\nc: True\nd: x\ne: null\nf: !new:x\n    g: 1\nh: -4.2\n"
    )
    for fine in ("a: 0", "b: 1", "b: 1e-5", "d: 5", "e: 3", "f: 1", "h: -1"):
        check_overrides(text, fine, "y")
    check_overrides(text, "", "y")
    for bad in (
        "a: 1.5",
        "a: True",
        "b: x",
        "b: -1",
        "c: 1",
        "g: 1",
        "a: 1\na: 2",
    ):
        with pytest.raises(ValueError, match="--"):
            check_overrides(text, bad, "y")
