"""Whatever a command is given, it ends in one line and the right exit code."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from speechbrain_petl.cli.main import main
from speechbrain_petl.dataio.audio import read_audio
from speechbrain_petl.inference import many

# What an error says that nobody has thought of
KINDS = re.compile(r"\b[A-Z]\w*(Error|Exception|Interrupt)\b: ")


@pytest.fixture(scope="module")
def whole(make_artefact, tmp_path_factory):
    """A good artefact."""
    folder = tmp_path_factory.mktemp("whole") / "artefact"
    make_artefact(folder, labels=["dog", "cat"])
    return folder


@pytest.fixture
def here(whole, elsewhere, tmp_path):
    """A working folder with a copy of the artefact, a clip and a manifest."""
    shutil.copytree(whole, tmp_path / "artefact")
    soundfile.write(tmp_path / "a.wav", np.zeros(8000), 16000)
    (tmp_path / "b.raw").write_bytes(bytes(4000))
    (tmp_path / "text").write_text("text")
    (tmp_path / "empty").mkdir()
    manifest = {"a": {"wav": "{data_root}/a.wav", "label": "x"}}
    (tmp_path / "train.json").write_text(json.dumps(manifest))
    return tmp_path


@pytest.fixture
def refused(tiny_folder, capsys, record):
    """``refused(words)``: the one line that a command line ends in."""

    def run(words, kind=KINDS):
        record("command line: arguments that cannot be")
        words = [tiny_folder if word == "BACKBONE" else word for word in words]
        code = main(words)
        said = capsys.readouterr().err
        assert code == 2 and said.count("\n") == 1, said
        assert said.startswith("speechbrain-petl: "), said
        assert "Traceback" not in said and not kind.search(said), said
        return said

    return run


USES = {
    "predict": "predict ARTEFACT a.wav --backbone BACKBONE",
    "bank": "bank --task t=ARTEFACT a.wav --backbone BACKBONE",
    "inspect": "inspect ARTEFACT",
    "inspect_json": "inspect ARTEFACT --json",
    "verify": "verify ARTEFACT --backbone BACKBONE",
    "merge": "merge ARTEFACT out --backbone BACKBONE",
    "onnx": "export ARTEFACT out.onnx --backbone BACKBONE",
    "pt2": "export ARTEFACT out.pt2 --backbone BACKBONE",
    "peft": "export ARTEFACT out --format peft --backbone BACKBONE",
    "push": "push ARTEFACT owner/name",
}
LOADS = ["predict", "verify", "onnx"]


def words_of(use, artefact):
    """The command line of a use."""
    return USES[use].replace("ARTEFACT", artefact).split()


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("artefact", ["nowhere", "text", "empty", ".", "a.wav"])
def test_what_is_no_artefact(use, artefact, here, refused):
    refused(words_of(use, artefact))
    assert not list(here.glob("out*"))


FILES = ["artefact.json", "hyperparams.yaml", "petl.safetensors"]
FILES += ["label_encoder.txt"]
DAMAGES = {
    "missing": lambda file: file.unlink(),
    "empty": lambda file: file.write_bytes(b""),
    "binary": lambda file: file.write_bytes(bytes(range(256)) * 9),
    "null": lambda file: file.write_text("null"),
    "list": lambda file: file.write_text("[]"),
    "mapping": lambda file: file.write_text("{}"),
    "folder": lambda file: (file.unlink(), file.mkdir()),
}


@pytest.mark.parametrize("use", LOADS)
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", FILES)
def test_damaged_artefacts(use, file, damage, here, refused):
    DAMAGES[damage](here / "artefact" / file)
    refused(words_of(use, "artefact"))
    assert not list(here.glob("out*"))


@pytest.mark.parametrize("use", ["inspect", "inspect_json", "push"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_metadata(use, damage, here, refused):
    DAMAGES[damage](here / "artefact" / "artefact.json")
    refused(words_of(use, "artefact"))


@pytest.mark.parametrize("use", ["inspect", "verify", "predict"])
@pytest.mark.parametrize(
    "key", "backbone features labels metrics tensors training".split()
)
@pytest.mark.parametrize("value", [None, [], {}, 3, "x"], ids=repr)
def test_metadata_that_is_of_another_kind(use, key, value, here, capsys):
    """Refused, or not needed."""
    file = here / "artefact" / "artefact.json"
    metadata = {**json.loads(file.read_text()), key: value}
    if value is None:
        del metadata[key]
    file.write_text(json.dumps(metadata))
    code = main(words_of(use, "artefact"))
    said = capsys.readouterr().err
    assert code in (0, 2) and said.count("\n") == (code == 2), said
    assert "Traceback" not in said and not KINDS.search(said), said


OPTIONS = [
    "predict artefact clip.wav",
    "predict artefact empty",
    "predict artefact empty b.wav nowhere/c.wav",
    "verify-speakers artefact nowhere.wav a.wav",
    "export artefact out.onnx --quantize int8 --calibrate train.json "
    "--test train.json --data_folder nowhere",
    "train nowhere",
    "train text --source nowhere",
    "recipe Nonsense",
    "recipe ESC50 --output text",
    "recipe ESC50 --output artefact",
    "experiments run nonsense",
    "experiments table nowhere",
    "predict artefact a.wav --backbone nowhere",
    "predict artefact a.wav --backbone empty",
    "predict artefact a.wav --backbone text",
    "predict artefact a.wav --backbone artefact",
    "predict artefact a.wav",
    "predict artefact a.wav --device cuda:99",
    "predict artefact a.wav --device gpu",
    "predict artefact a.wav --device meta:x",
    "predict owner/name a.wav",
    "predict owner/name a.wav --revision v1",
    "predict -- -x a.wav",
    "bank --task a a.wav",
    "bank --task =artefact a.wav",
    "bank --task a= a.wav",
    "bank --task a=nowhere a.wav",
    "bank --task a=artefact --task a=artefact a.wav --backbone BACKBONE",
    "bank --task a=artefact a.wav --device gpu",
    "verify artefact --backbone text",
    "merge artefact text --backbone BACKBONE",
    "export artefact out --backbone BACKBONE",
    "export artefact out.txt --backbone BACKBONE",
    "export artefact text/out.pt2 --backbone BACKBONE",
    "export artefact empty --format pt2 --backbone BACKBONE",
    "export artefact text --format peft --backbone BACKBONE",
    "push artefact owner/name",
    "push artefact not/a/name",
    "push artefact owner/name --license nonsense!",
    "pull owner/name out",
    "pull not/a/name out",
    "pull owner/name text",
    "norm-stats nowhere --data_folder .",
    "norm-stats text --data_folder .",
    "norm-stats empty --data_folder .",
    "norm-stats a.wav --data_folder .",
    "norm-stats train.json --data_folder nowhere",
    "norm-stats train.json --data_folder text",
]


@pytest.mark.parametrize("line", OPTIONS)
def test_bad_options(line, here, refused):
    refused(line.split())
    assert not list(here.glob("out*"))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "nonsense",
        "predict",
        "predict artefact",
        "predict artefact a.wav --top 0",
        "predict artefact a.wav --top x",
        "bank a.wav",
        "export artefact out --format x",
        "norm-stats train.json",
        "norm-stats train.json --data_folder . --max_length 0",
        "inspect artefact --nonsense",
    ],
)
def test_usage(line, here, capsys):
    with pytest.raises(SystemExit) as caught:
        main(line.split())
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert "usage: speechbrain-petl" in said and "Traceback" not in said


@pytest.mark.parametrize(
    "bad", ["b.raw", "nowhere.wav", "empty", "text", "x\0"]
)
@pytest.mark.fault("command line: one bad file among many")
def test_a_bad_file_does_not_stop_the_batch(bad, here, tiny_folder, capsys):
    line = ["predict", "artefact", bad, "a.wav", "--backbone", tiny_folder]
    assert main(line) == 1
    out, err = capsys.readouterr()
    assert out.startswith("a.wav\t") and "1 of 2 files failed." in err
    assert "Traceback" not in err and not KINDS.search(err)


def test_an_error_of_any_kind_does_not_stop_the_batch(
    here, tiny_folder, capsys, monkeypatch
):
    def fails(path, *rest):
        """Fails for one file, as a GPU without memory does."""
        if path == "b.raw":
            raise RuntimeError("CUDA out\nof memory")
        return read_audio(path, *rest)

    monkeypatch.setattr(many, "read_audio", fails)
    line = ["predict", "artefact", "b.raw", "a.wav", "--backbone", tiny_folder]
    assert main([*line, "--json"]) == 1
    out, err = capsys.readouterr()
    first, second = map(json.loads, out.splitlines())
    assert first["error"] == "b.raw: RuntimeError: CUDA out of memory"
    assert second["file"] == "a.wav" and "predictions" in second
    assert main([*line, "--debug"]) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


@pytest.mark.fault("command line: stopped by Ctrl-C")
def test_ctrl_c(here, tiny_folder, capsys, monkeypatch):
    def stop(*_):
        """Ctrl-C."""
        raise KeyboardInterrupt

    monkeypatch.setattr(many, "classify", stop)
    line = ["predict", "artefact", "a.wav", "--backbone", tiny_folder]
    assert main(line) == 130
    said = capsys.readouterr().err
    assert said.startswith("speechbrain-petl: stopped; with --output FILE, ")
    assert said.count("\n") == 1


def test_debug_shows_where_it_happened(here, capsys):
    assert main(["inspect", "nowhere", "--debug"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("Traceback (most recent call last)")
    assert said.splitlines()[-1].startswith("speechbrain-petl: 'nowhere'")


def test_a_reader_that_goes_away(here):
    """Such as ``head``."""
    code = (
        "import sys; from speechbrain_petl.cli.main import main;"
        "sys.exit(main(['inspect', 'artefact', '--json']))"
    )
    run = subprocess.run(
        ["bash", "-c", '"$0" -c "$1" | true; exit ${PIPESTATUS[0]}']
        + [sys.executable, code],
        capture_output=True,
        text=True,
    )
    assert run.returncode in (0, 1) and "Traceback" not in run.stderr
