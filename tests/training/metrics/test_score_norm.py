"""Score normalization against its formula, trial by trial."""

import pytest
import torch
from speechbrain_petl.training.metrics import score_norm
from speechbrain_petl.training.metrics.score_norm import (
    CohortStatistics,
    cohort_statistics,
    normalize_scores,
)
from speechbrain_petl.training.metrics.scoring import cosine_scores
from torch.nn.functional import cosine_similarity


@pytest.fixture
def voices():
    """Embeddings of utterances and of a cohort, and trials."""
    generator = torch.Generator().manual_seed(0)
    pairs = torch.randint(9, (25, 2), generator=generator)
    return (
        torch.randn(9, 6, generator=generator),
        torch.randn(12, 6, generator=generator),
        pairs[:, 0],
        pairs[:, 1],
    )


@pytest.mark.parametrize("top", [None, 5])
@pytest.mark.parametrize("block", [4, 4096])
def test_the_formula(voices, top, block, monkeypatch):
    monkeypatch.setattr(score_norm, "BLOCK", block)
    embeddings, cohort, first, second = voices
    raw = cosine_scores(embeddings, first, second)
    statistics = cohort_statistics(embeddings, cohort, top)
    found = {
        kind: normalize_scores(raw, first, second, statistics, kind)
        for kind in "zts"
    }
    for i, (a, b) in enumerate(zip(first, second)):
        score = cosine_similarity(embeddings[a], embeddings[b], dim=0)
        parts = []
        for row in (a, b):
            others = cosine_similarity(embeddings[row][None], cohort)
            others = others.sort(descending=True).values[:top]
            parts.append((score - others.mean()) / others.std())
        want = {"z": parts[0], "t": parts[1], "s": sum(parts) / 2}
        for kind in "zts":
            assert found[kind][i].item() == pytest.approx(
                want[kind].item(), abs=1e-4
            )


@pytest.mark.parametrize(
    ("cohort", "top", "message"),
    [
        (torch.eye(3)[:1], None, "1 cohort scores .* of the 1 that"),
        (torch.eye(3), 4, "4 cohort scores .* of the 3 that"),
        (torch.ones(3, 3), None, "1 of 2 utterances have the same score"),
    ],
)
def test_a_cohort_that_says_nothing_is_refused(cohort, top, message):
    embeddings = torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    if top is None and len(cohort) == 3:
        message = "utterances have the same score"
    with pytest.raises(ValueError, match=message):
        cohort_statistics(embeddings, cohort, top)


def test_an_unknown_kind_is_refused():
    statistics = CohortStatistics(torch.zeros(1), torch.ones(1))
    rows = torch.tensor([0])
    with pytest.raises(ValueError, match="kind is 'as': give one of z, t, s"):
        normalize_scores(torch.zeros(1), rows, rows, statistics, "as")
