"""Scores of trials against the reference's."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from speechbrain_petl.training.metrics import scoring
from speechbrain_petl.training.metrics.scoring import (
    cosine_scores,
    segment_scores,
)
from speechbrain_petl.training.metrics.verification import equal_error_rate

GOLDEN = Path(__file__).parents[2] / "golden" / "metrics"
TOLD = json.loads((GOLDEN / "ipet_verification.json").read_text())["segments"]
WAYS = {
    "score_cosine_of_means": lambda x, a, b: cosine_scores(x.mean(dim=1), a, b),
    "score_as_meant": segment_scores,
    "score_as_run": lambda x, a, b: segment_scores(x, a, b, legacy_axis=True),
}


@pytest.fixture(scope="module")
def segments():
    """Embeddings of 24 utterances' segments, and 276 trials."""
    tensors = load_file(GOLDEN / "ipet_verification.safetensors")
    return {
        name.removeprefix("segments/"): tensor
        for name, tensor in tensors.items()
        if name.startswith("segments/")
    }


@pytest.mark.parametrize("block", [100, 1024])
@pytest.mark.parametrize("way", WAYS)
def test_the_references_scores(segments, way, block, monkeypatch):
    monkeypatch.setattr(scoring, "BLOCK", block)
    pairs = segments["pairs"].long()
    scores = WAYS[way](segments["embeddings"], pairs[:, 0], pairs[:, 1])
    assert torch.allclose(scores, segments[way], atol=1e-5, rtol=0)
    is_target = segments["labels"] == 1
    eer, _ = equal_error_rate(scores[is_target], scores[~is_target])
    assert eer == pytest.approx(TOLD[way.replace("score", "EER")], abs=1e-9)


def test_no_trial_is_no_score():
    none = torch.zeros(0, dtype=torch.long)
    assert cosine_scores(torch.ones(2, 3), none, none).shape == (0,)
    assert segment_scores(torch.ones(2, 5, 3), none, none).shape == (0,)
