"""Intervals of the mean average precision."""

import pytest
import torch
from speechbrain_petl.training.metrics.bootstrap import (
    map_interval,
    mean_precision,
)
from speechbrain_petl.training.metrics.tagging import score_tags


def clips(n, seed=0):
    """Random scores, many of them equal, and targets of three classes."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randint(6, (n, 3), generator=generator) / 6
    targets = (torch.rand(n, 3, generator=generator) < 0.4) * 1
    return scores.double(), targets


def test_a_draw_is_scored_as_its_clips_are():
    scores, targets = clips(20)
    drawn = torch.randint(
        20, (4, 20), generator=torch.Generator().manual_seed(1)
    )
    times = torch.stack([row.bincount(minlength=20) for row in drawn]).double()
    found = mean_precision(scores, targets != 0, times)
    for value, rows in zip(found.tolist(), drawn, strict=True):
        expected = score_tags(scores[rows], targets[rows]).mean_ap
        assert value == pytest.approx(expected, abs=1e-12)


def test_it_holds_the_value_and_narrows_with_more_clips():
    few, many = clips(30), clips(600)
    widths = []
    for scores, targets in (few, many):
        low, high = map_interval(scores, targets, 300)
        assert low < score_tags(scores, targets).mean_ap < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2
    assert map_interval(*few, 300) == map_interval(*few, 300), "by the seed"


def test_without_a_label():
    with pytest.raises(ValueError, match="No clip has a label"):
        map_interval(torch.zeros(2, 2), torch.zeros(2, 2))
