"""The ESC-50 recipe: every YAML in debug size, and what a real run leaves."""

import csv
import json
import os
import re
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from speechbrain_petl.demo.corpora import write_esc50

RECIPE = Path(__file__).parents[2] / "recipes" / "ESC50"
YAMLS = sorted(RECIPE.glob("hparams/*.yaml"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A small corpus in ESC-50's layout: 4 classes, 5 folds."""
    folder = tmp_path_factory.mktemp("corpus") / "ESC-50"
    write_esc50(folder, clips_per_class_and_fold=2, classes=4, seconds=0.5)
    return folder


def arguments(corpus, backbone, output, *more):
    """Command-line overrides of a small run."""
    options = {
        "data_folder": corpus,
        "ast_source": backbone,
        "output_folder": output,
        "max_length": 48,
        "batch_size": 4,
        "num_workers": 0,
    }
    flat = [str(x) for k, v in options.items() for x in (f"--{k}", v)]
    return [*flat, "--device", "cpu", "--noprogressbar", *more]


def train(yaml, args, monkeypatch):
    """Runs train.py in this process."""
    monkeypatch.setattr(sys, "argv", ["train.py", str(yaml), *args])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    # SpeechBrain puts its logger's level there, for all that comes after.
    monkeypatch.setenv("SB_LOG_LEVEL", "INFO")
    monkeypatch.syspath_prepend(str(RECIPE))
    runpy.run_path(str(RECIPE / "train.py"), run_name="__main__")


@pytest.mark.parametrize("yaml", YAMLS, ids=lambda y: y.stem)
def test_every_yaml_runs(yaml, corpus, tiny_folder, tmp_path, monkeypatch):
    args = arguments(corpus, tiny_folder, tmp_path, "--debug")
    args += ["--debug_persistently"]
    train(yaml, args, monkeypatch)
    results = json.loads((tmp_path / "results.json").read_text())
    trainable = results["trainable"]
    assert trainable["head"] >= 192 * 4 + 4
    assert trainable["norm_final"] in (0, 192, 384)
    assert results["hyperparameters"]["max_length"] == 48
    assert (tmp_path / "confusion_matrix.png").stat().st_size > 1000
    log = (tmp_path / "train_log.txt").read_text()
    assert re.search(r"epoch: 2.*train loss.*valid accuracy", log)


@pytest.mark.slow
def test_a_whole_run(corpus, tiny_folder, tmp_path, monkeypatch):
    yaml = RECIPE / "hparams" / "adapter_hou_par.yaml"
    args = arguments(corpus, tiny_folder, tmp_path / "a", "--test_fold", "3")
    args += ["--number_of_epochs", "3", "--use_tensorboard", "True"]
    before = sorted(corpus.rglob("*"))
    train(yaml, args, monkeypatch)
    assert sorted(corpus.rglob("*")) == before, "the data folder was written to"

    results = json.loads((tmp_path / "a" / "results.json").read_text())
    assert results["fold"] == 3 and results["seed"] == 1234
    assert results["n_test"] == 4 * 2
    assert results["accuracy"] == results["n_correct"] / results["n_test"]
    assert sum(map(sum, results["confusion"])) == results["n_test"]
    assert list(results["recall"]) == results["labels"]
    assert results["versions"]["torch"]
    assert results["hyperparameters"]["lr"] == 0.005

    rows = list(csv.DictReader((tmp_path / "a/predictions.csv").open()))
    right = sum(row["target"] == row["prediction"] for row in rows)
    assert right == results["n_correct"]
    test = json.loads((tmp_path / "a/manifest/test.json").read_text())
    assert {row["id"] for row in rows} == set(test)

    log = (tmp_path / "a" / "train_log.txt").read_text()
    rates = [float(x) for x in re.findall(r"lr: (\S+?)[ ,]", log)]
    assert rates[0] > rates[1] > rates[2]
    assert rates[-1] == pytest.approx(0.0, abs=1e-9), "cosine to 0"
    accuracies = [float(x) for x in re.findall(r"valid accuracy: (\S+)", log)]
    best = accuracies.index(max(accuracies)) + 1
    assert results["best_epoch"] == best, "the earliest of the best epochs"

    assert list((tmp_path / "a" / "tensorboard").rglob("events.*"))

    checkpoints = list((tmp_path / "a" / "save").rglob("*.ckpt"))
    assert checkpoints
    whole = sum(f.stat().st_size for f in Path(tiny_folder).iterdir())
    for file in checkpoints:
        if file.name == "encoder.ckpt":
            assert file.stat().st_size < whole / 4, "no frozen tensor is saved"

    # The command again does not train again, and finds the same.
    train(yaml, args, monkeypatch)
    again = json.loads((tmp_path / "a" / "results.json").read_text())
    assert again["confusion"] == results["confusion"]
    # The same seed elsewhere gives the same numbers.
    args[args.index(str(tmp_path / "a"))] = str(tmp_path / "b")
    train(yaml, args, monkeypatch)
    other = json.loads((tmp_path / "b" / "results.json").read_text())
    for key in ("confusion", "loss", "valid_accuracy"):
        assert other[key] == results[key]


@pytest.mark.slow
def test_a_killed_run_resumes(corpus, tiny_folder, tmp_path):
    args = arguments(corpus, tiny_folder, tmp_path, "--number_of_epochs", "6")
    command = [sys.executable, "train.py", "hparams/adapter_hou_par.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(RECIPE.parents[1])}
    run = subprocess.Popen(
        command + args,
        cwd=RECIPE,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.time() + 300
    while not list(tmp_path.glob("save/CKPT*/CKPT.yaml")):
        assert run.poll() is None and time.time() < deadline
        time.sleep(0.05)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert not (tmp_path / "results.json").exists()
    subprocess.run(command + args, cwd=RECIPE, env=environment, check=True)
    log = (tmp_path / "train_log.txt").read_text()
    epochs = [int(x) for x in re.findall(r"^epoch: (\d+)", log, re.M)]
    assert sorted(set(epochs)) == [1, 2, 3, 4, 5, 6]
    assert len(epochs) < 12, "it started anew"
    rates = [float(x) for x in re.findall(r"lr: (\S+?)[ ,]", log)]
    assert rates[-1] == pytest.approx(0.0, abs=1e-9), "the schedule went on"
    assert (tmp_path / "results.json").exists()


def test_variants_differ_only_where_they_must():
    """Header, name, learning rate, head, method block and what it takes."""

    def common(yaml):
        text = yaml.read_text()
        text = text[text.index("# Seed needs") :]
        text = re.sub(r"\n# Method\n.*?\n\n", "\n", text, flags=re.S)
        text = re.sub(r"\nencoder: .*?\n\n", "\n", text, flags=re.S)
        text = re.sub(r"\n(lr|pooling|classifier): .*", "", text)
        return text.replace(f"experiment_name: {yaml.stem}\n", "")

    first = common(YAMLS[0])
    for yaml in YAMLS:
        assert common(yaml) == first, yaml.name
        assert f"python train.py hparams/{yaml.name} " in yaml.read_text()
        assert f"experiment_name: {yaml.stem}\n" in yaml.read_text()
