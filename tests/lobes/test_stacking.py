"""Several modules as one compute what a loop over them would."""

import copy

import pytest
import torch
from speechbrain_petl.lobes.conformer import Conformer
from speechbrain_petl.lobes.stacking import run_experts, stack_experts
from torch import nn


@pytest.mark.parametrize("shared", [False, True])
def test_it_is_a_loop_over_the_experts(shared):
    made = []

    def make(width):
        expert = Conformer(width, reduction_rate=4, identity=False)
        made.append(copy.deepcopy(expert))
        return expert

    stacked = stack_experts(make, width=16, n_experts=3)
    x = torch.randn(2, 5, 16) if shared else torch.randn(3, 2, 5, 16)
    got = run_experts(stacked, x, shared)
    want = [one(x if shared else x[i]) for i, one in enumerate(made)]
    torch.testing.assert_close(got, torch.stack(want))
    means = [one.batch_norm.running_mean for one in made]
    torch.testing.assert_close(
        stacked.batch_norm.running_mean, torch.stack(means)
    )


def test_dropout_differs_between_experts():
    stacked = stack_experts(
        lambda width: nn.Sequential(nn.Linear(width, width), nn.Dropout()), 8, 2
    )
    with torch.no_grad():
        stacked[0].weight.zero_()
        stacked[0].bias.fill_(1.0)
    first, second = run_experts(stacked, torch.ones(4, 9, 8), shared=True)
    assert not torch.equal(first, second)


def test_what_is_frozen_stays_so():
    def make(width):
        linear = nn.Linear(width, width)
        linear.bias.requires_grad = False
        return linear

    stacked = stack_experts(make, width=4, n_experts=2)
    run_experts(stacked, torch.rand(2, 1, 3, 4)).sum().backward()
    assert stacked.weight.grad.shape == (2, 4, 4)
    assert stacked.bias.grad is None and not stacked.bias.requires_grad
    with pytest.raises(ValueError, match="n_experts is 0"):
        stack_experts(make, width=4, n_experts=0)
