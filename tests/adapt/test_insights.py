"""What stored embeddings tell of a collection."""

import pytest
import torch
from speechbrain_petl.adapt.insights import (
    area,
    doubtful_labels,
    learning_curve,
    threshold,
    unknown_auroc,
)
from speechbrain_petl.adapt.one_label import OneLabel


@pytest.fixture
def clouds():
    """Embeddings of four classes that are told with ease, and the classes."""
    generator = torch.Generator().manual_seed(0)
    centers = 3 * torch.randn(4, 16, generator=generator)
    y = torch.arange(80) % 4
    return centers[y] + torch.randn(80, 16, generator=generator), y


def test_wrong_labels_are_found(clouds):
    x, y = clouds
    wrong = {3: 0, 10: 1, 21: 3}  # clip: label
    given = y.clone()
    for clip, label in wrong.items():
        assert y[clip] != label
        given[clip] = label
    groups = [str(i) for i in range(80)]
    found = doubtful_labels(x, given, groups, 4, 0.01)
    assert {one.clip: one.given for one in found[:3]} == wrong
    assert all(one.likely == y[one.clip] for one in found[:3])
    assert len(doubtful_labels(x, y, groups, 4, 0.01)) <= 1


def test_a_clip_is_judged_without_its_group(clouds):
    """Two copies with the same wrong label do not vouch for each other."""
    x, y = clouds
    x, y = torch.cat([x, x[:1]]), torch.cat([y, y[:1]])
    y[0] = y[80] = 2
    groups = ["same", *map(str, range(1, 80)), "same"]
    found = doubtful_labels(x, y, groups, 4, 0.01)
    assert {one.clip for one in found[:2]} == {0, 80}


def test_one_group_alone_tells_nothing(clouds):
    x, y = clouds
    assert doubtful_labels(x, y, ["one"] * 80, 4, 0.01) == []


def test_a_learning_curve_rises_and_ends_with_all_clips(clouds):
    x, y = clouds
    curve = learning_curve(x[:40], y[:40], x[40:], y[40:], 4, 0.01, OneLabel())
    assert [n for n, _ in curve] == [1, 2, 4, 8, 10]
    assert curve[0][1] <= curve[-1][1] == 1.0


def test_strangers_are_less_sure(clouds):
    x, y = clouds
    found = unknown_auroc(x[:40], y[:40], x[40:], y[40:], 4, 0.01)
    assert 0.8 < found <= 1.0
    noise = torch.randn(40, 16, generator=torch.Generator().manual_seed(1))
    assert unknown_auroc(noise, y[:40], noise, y[:40], 4, 0.01) < 1.0
    two = y < 2
    assert unknown_auroc(x[two], y[two], x[two], y[two], 2, 0.01) is None


def test_the_area_is_that_of_all_pairs():
    higher, lower = torch.tensor([3.0, 1.0]), torch.tensor([2.0, 0.0, 1.0])
    assert area(higher, lower) == pytest.approx((3 + 1 + 0.5) / 6)


def test_a_threshold_keeps_a_share():
    p = torch.linspace(0.01, 1.0, 100)
    found = threshold(p, 0.95)
    assert ((p >= found).sum()) in (95, 94)
    assert threshold(p[:1]) == pytest.approx(0.01)
