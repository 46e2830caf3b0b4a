"""Losses of one label, of several, and of shares of them."""

import pytest
import torch
from speechbrain_petl.lobes.losses import LOSSES, bce, loss_named
from torch import nn


@pytest.mark.parametrize("name", LOSSES)
def test_indices_are_whole_shares(name):
    torch.manual_seed(0)
    logits, targets = torch.randn(5, 3), torch.tensor([0, 1, 2, 1, 0])
    loss = loss_named(name)
    shares = nn.functional.one_hot(targets, 3).float()
    torch.testing.assert_close(loss(logits, targets), loss(logits, shares))


@pytest.mark.parametrize("name", LOSSES)
def test_the_loss_of_shares_lies_between_those_of_the_classes(name):
    """Both losses are linear in the targets."""
    logits, loss = torch.tensor([[1.0, -2.0, 0.5]]), loss_named(name)
    first, second = torch.eye(3)[:1], torch.eye(3)[1:2]
    torch.testing.assert_close(
        loss(logits, 0.3 * first + 0.7 * second),
        0.3 * loss(logits, first) + 0.7 * loss(logits, second),
    )


def test_bce_is_the_mean_over_clips_and_classes():
    logits = torch.tensor([[0.0, 2.0], [-1.0, 0.0]])
    targets = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    p = logits.sigmoid()
    wanted = -(targets * p.log() + (1 - targets) * (1 - p).log()).mean()
    torch.testing.assert_close(bce(logits, targets), wanted)


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match="no loss 'bse'; did you mean bce"):
        loss_named("bse")
    with pytest.raises(ValueError, match="choose one of cross_entropy, bce"):
        loss_named(7)
