"""What whole runs of a recipe leave, killed and resumed ones too."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from speechbrain_petl.inference import PETLClassifier
from speechbrain_petl.training import AudioClassificationBrain
from speechbrain_petl.utils.summary import LAST

ROOT = Path(__file__).parents[2]
YAML = ROOT / "recipes" / "ESC50" / "hparams" / "adapter_hou_par.yaml"


def test_a_run_that_selects_by_its_loss(arguments, train, tmp_path):
    args = arguments("ESC50", tmp_path, "--selects", "loss", "--debug")
    train(YAML, [*args, "--debug_persistently"])
    results = json.loads((tmp_path / "results.json").read_text())
    kept = json.loads((tmp_path / "artefact" / "artefact.json").read_text())
    assert kept["training"]["selects"] == "loss"
    assert kept["training"]["direction"] == "min"
    assert kept["metrics"]["loss"] == results["loss"]
    assert kept["metrics"]["valid_loss"] == results["valid_loss"]
    card = (tmp_path / "artefact" / "README.md").read_text()
    assert "type: loss" in card and "type: accuracy" not in card


@pytest.mark.parametrize("windows", ["null", "1"])
def test_a_test_reads_what_predict_reads(
    tiny_folder, windows, corpora, arguments, train, tmp_path
):
    """Clips of a second, of which the model reads half a second."""
    yaml = ROOT / "recipes" / "GoogleSpeechCommands" / "hparams" / "lora.yaml"
    args = arguments("GoogleSpeechCommands", tmp_path, "--debug")
    train(yaml, [*args, "--debug_persistently", "--windows", windows])
    kept = json.loads((tmp_path / "artefact" / "artefact.json").read_text())
    assert kept["features"]["windows"] == (1 if windows == "1" else None)
    classifier = PETLClassifier.from_artefact(
        tmp_path / "artefact", backbone=tiny_folder
    )
    test = json.loads((tmp_path / "manifest" / "test.json").read_text())
    rows = list(csv.DictReader((tmp_path / "predictions.csv").open()))
    assert rows
    for row in rows:
        wav = test[row["id"]]["wav"]
        corpus = str(corpora["GoogleSpeechCommands"])
        _, score, _, (label,) = classifier.classify_file(
            wav.replace("{data_root}", corpus)
        )
        assert label == row["prediction"]
        assert score.exp().item() == pytest.approx(
            float(row["probability"]), abs=1e-5
        )


class Killed(Exception):
    """What a test stops a run with."""


@pytest.mark.parametrize(
    "corpus, options",
    [("GTZAN", []), ("IEMOCAP", []), ("ESC50", ["--patchout", "0.5"])],
)
def test_a_stopped_run_resumes_bit_equal(
    corpus, options, arguments, train, monkeypatch, tmp_path
):
    """Of GTZAN the parts that are read are random, too; patches may be."""
    yaml = ROOT / "recipes" / corpus / "hparams" / "adapter_pf_par.yaml"
    args = arguments(corpus, tmp_path / "a", "--debug", "--debug_persistently")
    args += options
    args[args.index("--max_length") + 1] = "24"
    train(yaml, args)
    args[args.index(str(tmp_path / "a"))] = str(tmp_path / "b")
    fit_batch = AudioClassificationBrain.fit_batch

    def stopping(brain, batch):
        """Stops in the second epoch."""
        if brain.hparams.epoch_counter.current == 2 and brain.step == 2:
            raise Killed
        return fit_batch(brain, batch)

    with monkeypatch.context() as patched:
        patched.setattr(AudioClassificationBrain, "fit_batch", stopping)
        with pytest.raises(Killed):
            train(yaml, args)
    assert not (tmp_path / "b" / "results.json").exists()
    train(yaml, args)
    one, other = (
        (tmp_path / run / "artefact" / "petl.safetensors").read_bytes()
        for run in "ab"
    )
    assert one == other
    predictions = [
        (tmp_path / run / "predictions.csv").read_text() for run in "ab"
    ]
    assert predictions[0] == predictions[1]


@pytest.mark.slow
def test_a_whole_run(corpora, arguments, train, tiny_folder, tmp_path):
    corpus = corpora["ESC50"]
    args = arguments("ESC50", tmp_path / "a", "--test_fold", "3")
    args += ["--number_of_epochs", "3", "--use_tensorboard", "True"]
    before = sorted(corpus.rglob("*"))
    train(YAML, args)
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
    accuracies = [
        float(x) for x in re.findall(r"valid accuracy: ([^\s,]+)", log)
    ]
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
    train(YAML, args)
    again = json.loads((tmp_path / "a" / "results.json").read_text())
    assert again["confusion"] == results["confusion"]
    # The same seed elsewhere gives the same numbers.
    args[args.index(str(tmp_path / "a"))] = str(tmp_path / "b")
    train(YAML, args)
    other = json.loads((tmp_path / "b" / "results.json").read_text())
    for key in ("confusion", "loss", "valid_accuracy"):
        assert other[key] == results[key]


@pytest.mark.slow
def test_a_killed_run_resumes(arguments, tmp_path):
    args = arguments("ESC50", tmp_path, "--number_of_epochs", "6")
    command = [sys.executable, "train.py", "hparams/adapter_hou_par.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.Popen(
        command + args,
        cwd=YAML.parents[1],
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
    subprocess.run(
        command + args, cwd=YAML.parents[1], env=environment, check=True
    )
    log = (tmp_path / "train_log.txt").read_text()
    epochs = [int(x) for x in re.findall(r"^epoch: (\d+)", log, re.M)]
    assert sorted(set(epochs)) == [1, 2, 3, 4, 5, 6]
    assert len(epochs) < 12, "it started anew"
    rates = [float(x) for x in re.findall(r"lr: (\S+?)[ ,]", log)]
    assert rates[-1] == pytest.approx(0.0, abs=1e-9), "the schedule went on"
    assert (tmp_path / "results.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "corpus, protocol, folds",
    [("UrbanSound8k", "paper", 10), ("ESC50", "usual", 5)],
)
def test_without_validation_the_last_epoch_is_tested(
    corpus, protocol, folds, arguments, train, tmp_path
):
    yaml = ROOT / "recipes" / corpus / "hparams" / "linear.yaml"
    args = arguments(corpus, tmp_path, "--protocol", protocol)
    train(yaml, [*args, "--number_of_epochs", "2"])
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["best_epoch"] == 2 and results["valid_accuracy"] is None
    assert results["epoch_chosen_by"] == LAST
    said = (tmp_path / "log.txt").read_text()
    assert "at epoch 2, the last, as none was validated" in said
    assert json.loads((tmp_path / "manifest" / "valid.json").read_text()) == {}
    trained = [
        entry["fold"]
        for entry in json.loads(
            (tmp_path / "manifest" / "train.json").read_text()
        ).values()
    ]
    assert sorted(set(trained)) == list(range(2, folds + 1))


@pytest.mark.slow
@pytest.mark.parametrize(
    "corpus", ["GoogleSpeechCommands", "FluentSpeechCommands"]
)
def test_few_shot(corpus, arguments, train, tmp_path):
    yaml = ROOT / "recipes" / corpus / "hparams" / "lora.yaml"
    args = arguments(corpus, tmp_path, "--shots", "1", "--draw", "3")
    train(yaml, [*args, "--number_of_epochs", "1"])
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["hyperparameters"]["shots"] == 1
    assert results["hyperparameters"]["draw"] == 3
    drawn = json.loads((tmp_path / "manifest" / "train.json").read_text())
    assert sorted(entry["label"] for entry in drawn.values()) == sorted(
        results["labels"]
    ), "one clip of each class, and its id is kept"
