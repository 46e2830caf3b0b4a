"""Verification metrics against the reference's and SpeechBrain's numbers."""

import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from speechbrain_petl.training.metrics.verification import (
    equal_error_rate,
    error_rates,
    min_dcf,
)

from speechbrain.utils.metric_stats import EER, minDCF

GOLDEN = Path(__file__).parents[2] / "golden" / "metrics"
TOLD = json.loads((GOLDEN / "ipet_verification.json").read_text())


@pytest.fixture(scope="module")
def tensors():
    """Scores and labels of the reference's eight sets of trials."""
    return load_file(GOLDEN / "ipet_verification.safetensors")


def sides(scores, labels):
    """Scores of target trials and of the others."""
    return scores[labels == 1], scores[labels == 0]


def draw(targets, others, levels=None, seed=0):
    """Scores of trials, with ties if they are rounded to few levels."""
    generator = torch.Generator().manual_seed(seed)
    positive = torch.randn(targets, generator=generator) + 1.5
    negative = torch.randn(others, generator=generator)
    if levels:
        positive = (positive * levels).round() / levels
        negative = (negative * levels).round() / levels
    return positive, negative


def megabytes(field):
    """Of this process's memory, as Linux tells it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{field}:")[1].split()[0]) / 1000


@pytest.mark.parametrize("name", TOLD["sets"])
def test_the_references_numbers(name, tensors):
    told = TOLD["sets"][name]
    both = sides(tensors[f"{name}/scores"], tensors[f"{name}/labels"])
    assert len(both[0]) == told["targets"]
    eer, _ = equal_error_rate(*both)
    assert eer == pytest.approx(told["EER"], abs=1e-9)
    for key, want in told["minDCF"].items():
        cost = TOLD["costs"][key]
        found, _ = min_dcf(
            *both, cost["c_miss"], cost["c_false_alarm"], cost["p_target"]
        )
        assert found == pytest.approx(want, abs=1e-9)


@pytest.mark.parametrize("levels", [None, 2, 10])
@pytest.mark.parametrize("sizes", [(40, 60), (127, 31), (5, 200)])
def test_speechbrains_numbers(sizes, levels):
    both = draw(*sizes, levels)
    eer, threshold = equal_error_rate(*both, interpolate=False)
    theirs, their_threshold = EER(*both)
    # Single precision decides otherwise between two thresholds at which the
    # rates are as close, so the thresholds are compared by their gaps.
    rates = error_rates(*both)
    gaps = (rates.miss - rates.false_alarm).abs()
    gaps = [
        gaps[rates.thresholds <= t][-1] for t in (threshold, their_threshold)
    ]
    assert gaps[0].item() == pytest.approx(gaps[1].item(), abs=1e-6)
    if threshold == their_threshold:
        assert eer == pytest.approx(theirs, abs=1e-6)
    for costs in [(1, 1, 0.01), (10, 1, 0.01), (1, 1, 0.5)]:
        cost, threshold = min_dcf(*both, *costs, normalize=False)
        theirs, their_threshold = minDCF(*both, *costs)
        assert cost == pytest.approx(theirs, abs=1e-6)
        bound = min(costs[0] * costs[2], costs[1] * (1 - costs[2]))
        normalized, _ = min_dcf(*both, *costs)
        assert normalized == pytest.approx(theirs / bound, abs=1e-4)


def test_the_threshold_separates_as_speechbrains_does():
    both = torch.tensor([0.6, 0.7, 0.8, 0.5]), torch.tensor([0.4, 0.3, 0.2])
    assert equal_error_rate(*both, interpolate=False) == EER(*both)
    assert min_dcf(*both, normalize=False) == minDCF(*both)


def test_accepting_all_is_considered():
    """Theirs pays for misses where a false alarm costs next to nothing."""
    both = torch.tensor([0.1, 0.2]), torch.tensor([0.8, 0.9])
    costs = {"c_miss": 100.0, "c_fa": 1.0, "p_target": 0.5}
    cost, threshold = min_dcf(*both, **costs, normalize=False)
    assert (cost, threshold) == (0.5, -float("inf"))
    assert minDCF(*both, **costs)[0] > 20
    assert min_dcf(*both, **costs)[0] == 1


def test_interpolation_changes_by_a_step_at_most():
    both = draw(7, 11)
    exact, _ = equal_error_rate(*both)
    coarse, _ = equal_error_rate(*both, interpolate=False)
    assert exact != coarse and abs(exact - coarse) <= 1 / 7


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_as_many_trials_as_the_largest_list_has():
    """580,000 trials: seconds, and tens of megabytes."""
    both = draw(290_000, 290_000)
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak
    before = megabytes("VmHWM")
    eer, _ = equal_error_rate(*both)
    cost, _ = min_dcf(*both)
    added = megabytes("VmHWM") - before
    # Two normal distributions 1.5 apart.
    want = torch.special.ndtr(torch.tensor(-0.75)).item()
    assert eer == pytest.approx(want, abs=2e-3)
    assert 0 < cost < 1 and added < 150


@pytest.mark.parametrize(
    ("positive", "negative", "message"),
    [
        ([], [0.1], "There are no target trials"),
        ([0.1], [], "There are no non-target trials"),
        ([0.1, float("nan")], [0.2], "1 of 2 scores of target trials"),
    ],
)
def test_what_cannot_be_judged_is_said(positive, negative, message):
    for metric in (equal_error_rate, min_dcf):
        with pytest.raises(ValueError, match=message):
            metric(torch.tensor(positive), torch.tensor(negative))
