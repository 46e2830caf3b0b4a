"""Tags that are likely wrong."""

import pytest
import torch
from speechbrain_petl.adapt.doubtful_tags import doubtful_tags


@pytest.fixture
def clouds():
    """Embeddings in which two tags are easily heard, and the tags."""
    generator = torch.Generator().manual_seed(0)
    y = torch.stack([torch.arange(80) % 2, torch.arange(80) // 2 % 2], dim=1)
    directions = 6 * torch.randn(2, 16, generator=generator)
    noise = torch.randn(80, 16, generator=generator)
    return y.float() @ directions + noise, y.float()


def test_given_and_missing_tags_are_found(clouds):
    x, y = clouds
    wrong = {(4, 0), (9, 1), (31, 0)}
    given = y.clone()
    for clip, tag in wrong:
        given[clip, tag] = 1 - given[clip, tag]
    found = doubtful_tags(x, given, [str(i) for i in range(80)], 0.01)
    assert {(one.clip, one.tag) for one in found[:3]} == wrong
    assert all(one.has == (given[one.clip, one.tag] == 1) for one in found)
    assert len(doubtful_tags(x, y, [str(i) for i in range(80)], 0.01)) <= 1


def test_what_tells_nothing(clouds):
    x, y = clouds
    assert doubtful_tags(x, y, ["one"] * 80, 0.01) == []
    everywhere = torch.ones(80, 2)
    groups = [str(i) for i in range(80)]
    assert doubtful_tags(x, everywhere, groups, 0.01) == []
