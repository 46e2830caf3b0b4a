"""What a finished run leaves."""

import csv
import json
import sys

import pytest
import torch
from speechbrain_petl.training import outputs
from speechbrain_petl.training.results import TestResult, write_results
from speechbrain_petl.utils.files import write_file

from speechbrain.dataio.encoder import CategoricalEncoder

LOGITS = torch.tensor([[2.0, 0, 0], [0, 2, 0], [2, 0, 0], [0, 2, 0]])
TARGETS = torch.tensor([0, 1, 1, 1])


@pytest.fixture
def result():
    """Three of four clips right; no clip of the third class."""
    return TestResult(list("abcd"), TARGETS, LOGITS)


@pytest.fixture
def labels():
    """Three classes."""
    encoder = CategoricalEncoder()
    encoder.update_from_iterable(["x", "y", "z"])
    encoder.expect_len(3)
    return encoder


def test_accuracy(result):
    assert result.accuracy() == 0.75


def test_unweighted_accuracy(result):
    """The mean recall of two classes; the third one has no clip."""
    assert result.unweighted_accuracy() == pytest.approx((1 + 2 / 3) / 2)
    recalls = [r for r in result.recall(3) if r is not None]
    assert result.unweighted_accuracy() == pytest.approx(sum(recalls) / 2)


def test_confusion(result):
    assert result.confusion(3).tolist() == [[1, 0, 0], [1, 2, 0], [0, 0, 0]]


def test_files(result, labels, tmp_path):
    hparams = {"seed": 3, "test_fold": 2, "lr": 0.1, "model": object()}
    hparams["max_grad_norm"] = float("inf")
    write_results(tmp_path, result, labels, {"best_epoch": 4}, hparams)
    summary = json.loads((tmp_path / "results.json").read_text())
    assert summary["n_correct"] == 3 and summary["n_test"] == 4
    assert summary["best_epoch"] == 4
    assert summary["recall"] == {"x": 1.0, "y": pytest.approx(2 / 3), "z": None}
    assert summary["hyperparameters"] == {
        "lr": 0.1,
        "max_grad_norm": "inf",
        "seed": 3,
        "test_fold": 2,
    }
    assert summary["seed"] == 3 and summary["fold"] == 2
    rows = list(csv.DictReader((tmp_path / "predictions.csv").open()))
    assert [row["id"] for row in rows] == list("abcd")
    assert [row["prediction"] for row in rows] == ["x", "y", "x", "y"]
    assert (tmp_path / "confusion_matrix.png").read_bytes()[1:4] == b"PNG"
    names = {"results.json", "predictions.csv", "confusion_matrix.png"}
    assert {f.name for f in tmp_path.iterdir()} == names


@pytest.mark.fault("matplotlib not installed")
def test_without_matplotlib_only_the_picture_is_missing(
    result, labels, tmp_path, monkeypatch, caplog
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with caplog.at_level("INFO", logger=outputs.__name__):
        write_results(tmp_path, result, labels, {}, {})
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"results.json", "predictions.csv"}
    assert caplog.text.count("no confusion_matrix.png") == 1
    assert "speechbrain-petl[experiments]" in caplog.text


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "results.json"
    write_file(str(path), "old")

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(outputs.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_file(str(path), "new")
    assert path.read_text() == "old"
    assert [f.name for f in tmp_path.iterdir()] == ["results.json"]
