"""What a run of speaker verification leaves."""

import csv
import json

import pytest
import torch
from speechbrain_petl.dataio.trials import Trial
from speechbrain_petl.training.verification_results import (
    Scored,
    write_verification,
)


@pytest.fixture
def scored():
    """Two trials of each kind; one of each is on the wrong side of 0.5."""
    trials = [Trial(k < 2, f"a{k}", f"b{k}") for k in range(4)]
    rows, scores = torch.arange(4), torch.tensor([0.9, 0.4, 0.1, 0.6])
    targets = torch.tensor([trial.target for trial in trials])
    return Scored(trials, targets, rows, rows, scores)


def test_the_threshold_is_between_scores(scored):
    threshold = scored.equal_error_threshold()
    assert not (scored.scores.double() - threshold).abs().lt(1e-6).any()
    assert scored.errors_at(0.5) == (0.5, 0.5)
    assert scored.errors_at(-1.0) == (0.0, 1.0)
    assert scored.metrics()["eer"] == 0.5


def test_files(scored, tmp_path):
    facts = {"best_epoch": 1, "threshold": None}
    write_verification(str(tmp_path), scored, facts, {"seed": 3})
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["n_test"] == 4 and found["n_target"] == 2
    assert found["seed"] == 3 and found["threshold"] is None
    rows = list(csv.DictReader((tmp_path / "scores.csv").open()))
    assert [row["score"] for row in rows][:2] == ["0.900000", "0.400000"]
    assert (tmp_path / "det_curve.png").stat().st_size > 1000
