"""Thresholds: the best ones, chosen where it is allowed."""

import pytest
import torch
from sklearn.metrics import fbeta_score
from speechbrain_petl.training.metrics.thresholds import (
    tagging_thresholds,
    verification_threshold,
)
from speechbrain_petl.training.metrics.verification import error_rates, min_dcf


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("decimals", [1, 6])
def test_no_threshold_is_better(beta, decimals):
    generator = torch.Generator().manual_seed(4)
    targets = (torch.rand(80, 3, generator=generator) < 0.3).long()
    scores = torch.rand(80, 3, generator=generator) * 0.7 + targets * 0.3
    scores = scores.round(decimals=decimals)
    thresholds, f_scores = tagging_thresholds(scores, targets, beta)
    for c in range(3):
        given = scores[:, c].double() > thresholds[c]
        reached = fbeta_score(targets[:, c], given, beta=beta)
        assert f_scores[c].item() == pytest.approx(reached, abs=1e-9)
        for other in [-0.1, *scores[:, c].tolist()]:
            given = scores[:, c] > other
            found = fbeta_score(targets[:, c], given, beta=beta)
            assert found <= reached + 1e-9


def test_a_class_that_validation_lacks_falls_back():
    scores = torch.tensor([[0.9, 0.2], [0.1, 0.4]])
    targets = torch.tensor([[1, 0], [0, 0]])
    thresholds, f_scores = tagging_thresholds(scores, targets, fallback=0.3)
    assert thresholds.tolist() == pytest.approx([0.5, 0.3])
    assert f_scores[0] == 1 and f_scores[1].isnan()


def test_all_clips_accepted_and_neighbouring_floats():
    above = torch.nextafter(torch.tensor(0.5).double(), torch.tensor(1.0))
    scores = torch.tensor([[0.5], [above.item()]], dtype=torch.float64)
    thresholds, _ = tagging_thresholds(scores, torch.tensor([[0], [1]]))
    assert (scores[:, 0] > thresholds[0]).tolist() == [False, True]
    thresholds, _ = tagging_thresholds(scores, torch.tensor([[1], [1]]))
    assert (scores[:, 0] > thresholds[0]).all()


def test_beta_must_be_positive():
    with pytest.raises(ValueError, match="beta is 0, but should be above 0"):
        tagging_thresholds(torch.zeros(1, 1), torch.ones(1, 1), beta=0)


@pytest.mark.parametrize("p_target", [None, 0.01, 0.5, 0.99])
def test_a_verification_threshold_has_the_rates_of_the_optimum(p_target):
    generator = torch.Generator().manual_seed(1)
    positive = torch.randn(60, generator=generator) + 1
    negative = torch.randn(90, generator=generator)
    threshold = verification_threshold(positive, negative, p_target)
    miss = (positive.double() <= threshold).double().mean().item()
    alarm = (negative.double() > threshold).double().mean().item()
    if p_target is None:
        _, misses, alarms = error_rates(positive, negative)
        closest = (misses - alarms).abs().min().item()
        assert abs(miss - alarm) == pytest.approx(closest, abs=1e-12)
    else:
        cost = p_target * miss + (1 - p_target) * alarm
        least, _ = min_dcf(
            positive, negative, p_target=p_target, normalize=False
        )
        assert cost == pytest.approx(least)
    scores = torch.cat([positive, negative]).double()
    assert threshold not in scores or threshold == scores.max()


def test_accept_none_and_accept_all():
    worst = torch.tensor([0.1]), torch.tensor([0.9])
    none = verification_threshold(*worst, p_target=0.01)
    assert none == pytest.approx(0.9) and not any(s > none for s in worst)
    everyone = verification_threshold(*worst, p_target=0.99)
    assert all(scores.double() > everyone for scores in worst)
