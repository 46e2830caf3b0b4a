"""A run folder belongs to one run: of one configuration, on one state of data."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from speechbrain_petl.demo.corpora import write_small
from speechbrain_petl.training import launch
from speechbrain_petl.training.run_folder import RunFolder, release

ROOT = Path(__file__).parents[2]
YAML = ROOT / "recipes/ESC50/hparams/linear.yaml"
REMEDY = "; give another --output_folder, or --overwrite True"


def content(folder):
    """Every file but the log, which tells of refusals too, and the lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("log.txt", ".run.lock")
    }


def with_option(args, key, value):
    """The arguments with another value of an option."""
    args = list(args)
    args[args.index(f"--{key}") + 1] = str(value)
    return args


@pytest.fixture(scope="module")
def finished():
    """Folders of finished runs by recipe, for tests that leave them alone."""
    return {}


@pytest.fixture
def run_of(finished, arguments, train, tmp_path_factory):
    """``run_of(recipe)``: the arguments and the folder of a finished run."""

    def make(recipe="ESC50"):
        if recipe not in finished:
            folder = tmp_path_factory.mktemp("finished") / recipe
            args = arguments(recipe, folder, "--number_of_epochs", "1")
            train(ROOT / "recipes" / recipe / "hparams/linear.yaml", args)
            finished[recipe] = args, folder
        return finished[recipe]

    return make


@pytest.mark.parametrize(
    "options, said",
    [
        (
            "--train_folds [1,5] --valid_folds [3] --test_folds [2]",
            r"train_folds is null there and \[1, 5\] here, valid_folds is null "
            r"there and \[3\] here, test_folds is null there and \[2\] here;",
        ),
        ("--test_fold 3", "test_fold is 1 there and 3 here;"),
        (
            "--position_embeddings zeros",
            "position_embeddings is resize there and zeros here;",
        ),
        ("--shots 1", "shots is null there and 1 here;"),
        ("--draw 1", "draw is 0 there and 1 here;"),
        ("--lr 0.1", "lr is 0.001 there and 0.1 here;"),
        ("--seed 2", "seed is 1234 there and 2 here;"),
        # auto is fp32 or bf16, by what the machine has
        ("--precision fp16", r"precision is (fp32|bf16) there and fp16 here;"),
        ("--max_grad_norm 5", "max_grad_norm is inf there and 5 here;"),
        ("--grad_accumulation_factor 2", "factor is 1 there and 2 here;"),
        ("--nonfinite_patience 3", "patience is 0 there and 3 here;"),
        ("--eval_precision bf16", "eval_precision is absent there and bf16 "),
        ("--compile", "compile is absent there and true here;"),
        ("--debug_batches 1", "debug_batches is absent there and 1 here;"),
    ],
    ids=lambda value: value if value.startswith("--") else "",
)
@pytest.mark.fault("run folder: other settings")
def test_other_settings(options, said, run_of, fails):
    args, folder = run_of()
    before = content(folder), (folder / "log.txt").read_text()
    message = fails(YAML, [*args, *options.split()])
    assert re.search(said, message), message
    assert f"{folder} holds a run of other settings: " in message
    assert REMEDY in message
    after = content(folder), (folder / "log.txt").read_text()
    assert after == before, "not a line in its log"


@pytest.mark.parametrize(
    "key, value, said",
    [
        ("number_of_epochs", 2, "number_of_epochs is 1 there and 2 here;"),
        ("batch_size", 2, "batch_size is 4 there and 2 here;"),
        ("max_length", 60, "max_length is 48 there and 60 here;"),
    ],
)
@pytest.mark.fault("run folder: other settings")
def test_what_the_schedule_was_planned_for(key, value, said, run_of, fails):
    """The cosine has ended at 0: no other number of updates is its own."""
    args, folder = run_of()
    before = content(folder)
    assert said in fails(YAML, with_option(args, key, value))
    assert content(folder) == before


@pytest.mark.fault("run folder: other settings")
def test_another_protocol(run_of, fails):
    args, folder = run_of("UrbanSound8k")
    yaml = ROOT / "recipes/UrbanSound8k/hparams/linear.yaml"
    said = fails(yaml, [*args, "--protocol", "paper"])
    assert "protocol is rotate there and paper here;" in said


@pytest.mark.fault("run folder: another number of processes")
def test_another_number_of_processes(run_of, fails, monkeypatch):
    args, _ = run_of()
    monkeypatch.setattr(launch, "n_processes", lambda: 2)
    said = fails(YAML, args)
    assert "the number of processes is 1 there and 2 here;" in said


@pytest.mark.fault("run folder: another backbone")
def test_another_backbone_of_the_same_shape(
    run_of, fails, train, tiny_folder, tmp_path
):
    import torch
    from transformers import ASTModel

    args, folder = run_of()
    before = content(folder)
    model = ASTModel.from_pretrained(tiny_folder)
    with torch.no_grad():
        next(model.parameters()).view(-1)[0] += 1
    model.save_pretrained(tmp_path / "other")
    said = fails(YAML, with_option(args, "source", tmp_path / "other"))
    assert re.search(r"fingerprint is \w{12} there and \w{12} here;", said)
    assert content(folder) == before
    # A copy of the same weights is the same backbone.
    shutil.copytree(tiny_folder, tmp_path / "copy")
    train(YAML, with_option(args, "source", tmp_path / "copy"))


@pytest.fixture
def own(corpora, run_of, train, tmp_path):
    """A finished run on a corpus to spoil: arguments, folder, corpus."""
    corpus = write_small("esc50", tmp_path / "ESC-50")
    args, _ = run_of()
    args = with_option(args, "data_folder", corpus)
    args = with_option(args, "output_folder", tmp_path / "run")
    train(YAML, args)
    return args, tmp_path / "run", corpus


def change_a_clip(corpus):
    """One sample, and the time is put back."""
    file = sorted(corpus.glob("audio/*.wav"))[0]
    times, data = file.stat(), bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def reorder_the_classes(corpus):
    """Exchanges the numbers of two classes."""
    table = corpus / "meta" / "esc50.csv"
    swapped = re.sub(
        r"^([^,]+,\d,)([01])(,)",
        lambda m: f"{m[1]}{1 - int(m[2])}{m[3]}",
        table.read_text(),
        flags=re.M,
    )
    assert swapped != table.read_text()
    table.write_text(swapped)


def remove_a_clip(corpus):
    """A clip and its line."""
    table = corpus / "meta" / "esc50.csv"
    lines = table.read_text().splitlines()
    (corpus / "audio" / lines.pop().split(",")[0]).unlink()
    table.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    "spoil, said",
    [
        (change_a_clip, r"_manifest is \d+ clips \w{12} there and \d+ clips"),
        (reorder_the_classes, r"label_map is \w{12} there and \w{12} here"),
        (remove_a_clip, r"_manifest is \d+ clips"),
    ],
)
@pytest.mark.fault("run folder: other data")
def test_other_data(spoil, said, own, fails, train):
    args, folder, corpus = own
    before = content(folder)
    spoil(corpus)
    message = fails(YAML, args)
    assert f"{folder} holds a run of other data: " in message
    assert re.search(said, message), message
    assert REMEDY in message
    assert content(folder) == before, "manifests and hyperparams.yaml too"
    # The data folder may move, and be read by more workers.
    shutil.rmtree(corpus)
    moved = write_small("esc50", corpus.with_name("moved"))
    args = with_option(args, "data_folder", moved)
    train(YAML, with_option(args, "num_workers", 1))
    assert content(folder)["results.json"]


@pytest.mark.fault("run folder: preparation fails on resuming")
def test_a_failed_preparation_is_taken_back(own, fails, train):
    args, folder, corpus = own
    before = content(folder)
    table = corpus / "meta" / "esc50.csv"
    text = table.read_text()
    table.write_text("nothing\n")
    fails(YAML, args)
    table.write_text(text)
    release()
    RunFolder(  # what the next start does first, or the end of the process
        {
            "output_folder": folder,
            "save_folder": folder / "save",
            "manifest_folder": folder / "manifest",
        },
        "train.py",
    )._restore()
    assert content(folder) == before
    train(YAML, args)


def test_overwrite_starts_anew(own, train, fails):
    args, folder, _ = own
    (folder / "notes.txt").write_text("mine")
    train(YAML, [*args, "--lr", "0.5", "--overwrite", "True"])
    results = json.loads((folder / "results.json").read_text())
    assert results["hyperparameters"]["lr"] == 0.5
    log = (folder / "train_log.txt").read_text()
    assert log.count("epoch: 1,") == 1, "the run before is gone"
    assert len(list(folder.glob("save/CKPT+*"))) == 1
    assert (folder / "notes.txt").read_text() == "mine"
    assert "lr is 0.5 there and 0.001 here" in fails(YAML, args)


@pytest.mark.fault("run folder: without a record, or a damaged one")
def test_a_folder_without_a_record(own, fails, train):
    args, folder, _ = own
    record = folder / "run.json"
    text = record.read_text()
    record.unlink()
    before = content(folder)
    for more in ([], ["--overwrite", "True"]):
        said = fails(YAML, [*args, *more])
        assert "without a record of its settings (run.json)" in said
        assert content(folder) == before
    for damaged in ("", "[]", "{"):
        record.write_text(damaged)
        assert f"{record} is no record of a run" in fails(YAML, args)
    record.write_text(text.replace('"format": 1', '"format": 2'))
    assert "has the format 2" in fails(YAML, args)
    record.write_text(text)
    train(YAML, args)


def test_what_trained_nothing_binds_nobody(arguments, train, fails, tmp_path):
    """A misspelt first try is no run yet."""
    args = arguments("ESC50", tmp_path / "out", "--number_of_epochs", "1")
    assert "Class" in fails(YAML, [*args, "--shots", "99"])
    train(YAML, args)


@pytest.mark.fault("run folder: other versions of packages")
def test_other_versions_warn_and_are_recorded(own, train, caplog):
    args, folder, _ = own
    record = folder / "run.json"
    found = json.loads(record.read_text())
    (now,) = found["versions"]
    found["versions"] = [{**now, "torch": "1.0"}]
    record.write_text(json.dumps(found))
    train(YAML, args)
    assert f"torch is 1.0 there and {now['torch']} here" in caplog.text
    versions = json.loads(record.read_text())["versions"]
    assert [v["torch"] for v in versions] == ["1.0", now["torch"]]


def test_the_record_is_what_ran(arguments, train, tmp_path):
    words = "--precision bf16 --max_grad_norm 5 --grad_accumulation_factor 2 "
    words += "--eval_precision bf16 --number_of_epochs 1 "
    words += "--train_folds [1,5] --valid_folds [3] --test_folds [2,4]"
    train(YAML, arguments("ESC50", tmp_path / "out", *words.split()))
    results = json.loads((tmp_path / "out/results.json").read_text())
    artefact = json.loads((tmp_path / "out/artefact/artefact.json").read_text())
    card = (tmp_path / "out/artefact/README.md").read_text().replace("\\", "")
    for found in (results, artefact["training"]):
        options = found["hyperparameters"]
        assert options["precision"] == options["eval_precision"] == "bf16"
        assert options["max_grad_norm"] == 5
        assert options["grad_accumulation_factor"] == 2
        assert options["device"] == "cpu" and options["processes"] == 1
        assert options["test_fold"] is None
        assert found["fold"] is None
        folds = {"train": [1, 5], "valid": [3], "test": [2, 4]}
        assert found["folds"] == folds
    yaml = (tmp_path / "out/hyperparams.yaml").read_text()
    for said in ("precision: bf16", "max_grad_norm: 5"):
        assert re.search(f"^{said}", yaml, re.M), said
        assert f"- {said}" in card
    assert re.search("^eval_precision: bf16", yaml, re.M)


def test_the_readmes_options_get_folders_of_their_own(
    arguments, train, tiny_folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "README.md").read_text()
    options = re.findall(r"^\| `--(\w+) (.*?)` \|", page, re.M)
    assert len(options) > 5
    flags = ["--debug", "--noprogressbar"]
    words = [w for w in arguments("ESC50", "out") if w not in flags]
    base = dict(zip(words[::2], words[1::2]))
    del base["--output_folder"]
    shutil.copytree(tiny_folder, tmp_path / "ast")
    stand_ins = {"source": tmp_path / "ast", "shots": 2}
    seen = set()
    for key, value in [("data_folder", base["--data_folder"]), *options]:
        # Of a linear probe, nothing lies in a layer.
        if key in ("overwrite", "first_layer"):
            continue
        changed = {**base, f"--{key}": str(stand_ins.get(key, value))}
        train(YAML, [*flags, *(w for pair in changed.items() for w in pair)])
        now = set(tmp_path.rglob("results.json"))
        assert len(now) == len(seen) + 1, f"--{key} took another run's folder"
        seen = now


@pytest.mark.slow
@pytest.mark.fault("run folder: two processes at once")
def test_two_processes_and_a_killed_one(arguments, fails, train, tmp_path):
    """The lock is the run's, its workers' included, and dies with it."""
    args = arguments("ESC50", tmp_path / "out", "--number_of_epochs", "3")
    args = with_option(args, "num_workers", 2)
    first = subprocess.Popen(
        [sys.executable, "train.py", "hparams/linear.yaml", *args],
        cwd=YAML.parents[1],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.time() + 120
    while not list((tmp_path / "out").glob("save/CKPT*")):
        assert first.poll() is None and time.time() < deadline
        time.sleep(0.02)
    first.send_signal(signal.SIGSTOP)
    said = fails(YAML, args)
    assert f"Another process is running in {tmp_path / 'out'}" in said
    first.kill()
    first.wait()
    train(YAML, args)
    log = (tmp_path / "out" / "train_log.txt").read_text()
    assert "epoch: 3" in log and "Epoch loaded" in log
