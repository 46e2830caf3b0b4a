"""What metrics of tagging count, against counting by hand."""

import pytest
import torch
from speechbrain_petl.training.metrics.counts import (
    check_scores,
    counts_by_threshold,
)


def test_each_threshold_accepts_what_scores_as_high():
    generator = torch.Generator().manual_seed(0)
    scores = torch.randint(0, 6, (40,), generator=generator).double()
    targets = torch.rand(40, generator=generator) < 0.4
    hits, accepted, thresholds = counts_by_threshold(scores, targets)
    assert thresholds.tolist() == sorted(set(scores.tolist()), reverse=True)
    for hit, count, threshold in zip(hits, accepted, thresholds, strict=True):
        taken = scores >= threshold
        assert count == taken.sum() and hit == (taken & targets).sum()


def test_scores_are_compared_in_double_precision():
    scores = torch.rand(3, 2, requires_grad=True)
    found, targets = check_scores(scores, torch.eye(3)[:, :2])
    assert found.dtype == torch.float64 and not found.requires_grad
    assert targets.dtype == torch.bool and targets.tolist() == [
        [True, False],
        [False, True],
        [False, False],
    ]


@pytest.mark.parametrize(
    ("scores", "targets", "message"),
    [
        (torch.zeros(2, 3), torch.zeros(2), r"\[2, 3\] and targets \[2\]"),
        (torch.zeros(0, 3), torch.zeros(0, 3), "a clip and a class at least"),
        (torch.tensor([[torch.inf]]), torch.ones(1, 1), "in the rows 0: see"),
        (torch.zeros(1, 1), torch.full((1, 1), 0.5), "cannot be scored"),
    ],
)
def test_what_cannot_be_counted_is_refused(scores, targets, message):
    with pytest.raises(ValueError, match=message):
        check_scores(scores, targets)
