"""Learners read the states of all layers, and nothing of the backbone trains."""

from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.ladder import Ladder
from speechbrain_petl.lobes.learners import LAdapters, WeightedSum
from speechbrain_petl.lobes.petl import PETLModel
from transformers import ASTModel


def feats(ast, batch=2):
    """Random features."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(batch, *ast.input_shape, generator=generator)


def test_pooling_before_or_after_a_sum_is_the_same(tiny_ast):
    x = feats(tiny_ast)
    models = [
        PETLModel(tiny_ast, learner=partial(WeightedSum, reads=reads))
        for reads in ("pooled", "tokens")
    ]
    for model in models:
        with torch.no_grad():
            model.learner.weights.copy_(torch.arange(4.0))
    torch.testing.assert_close(models[0](x), models[1](x))


def test_a_weighted_sum_by_hand(tiny_ast):
    x = feats(tiny_ast)
    model = PETLModel(tiny_ast, learner=partial(WeightedSum, normalize=False))
    with torch.no_grad():
        model.learner.weights.copy_(torch.tensor([9.0, 0, 0, 0]).log1p())
    first = tiny_ast.model(x, output_hidden_states=True).hidden_states[0]
    first = first.detach().mean(1)
    others = [
        state.mean(1) for state in model.layer_states(x)[:, :, 0:1].unbind(1)
    ]
    expected = (10 * others[0] + others[1] + others[2] + others[3]) / 13
    torch.testing.assert_close(model(x), expected)
    torch.testing.assert_close(others[0], first)


@pytest.mark.parametrize(
    "learner, count",
    [
        (WeightedSum, 4),
        # 3 adapters of 192 x 512, biases, LayerNorms, and their weights
        (LAdapters, 3 * (192 * 512 + 512 + 2 * 512) + 3),
        (partial(LAdapters, size=8), 3 * (192 * 8 + 8 + 2 * 8) + 3),
        (
            partial(Ladder, reduction_rate=8),
            4 * (192 * 24 + 24)  # down
            + 3 * (12 * 24**2 + (1 + 4 + 1) * 24 + 2 * 2 * 24)
            + 3  # gates
            + 2 * 24
            + (24 * 192 + 192),
        ),
    ],
)
def test_counts(tiny_ast, learner, count):
    model = PETLModel(tiny_ast, learner=learner)
    assert model.count_parameters()["method"] == count
    assert all(name.startswith("learner.") for name in model.delta())


def test_nothing_runs_backwards_through_the_backbone(tiny_ast):
    model = PETLModel(tiny_ast, learner=Ladder)
    states = model.layer_states(feats(tiny_ast))
    assert not states.requires_grad
    assert states.grad_fn is None


def test_what_a_learner_refuses(tiny_ast):
    with pytest.raises(ValueError, match="one of the library's backbones"):
        PETLModel(ASTModel(tiny_ast.config), learner=WeightedSum)
    with pytest.raises(ValueError, match="norm_final, which would train to no"):
        PETLModel(tiny_ast, unfrozen=["norm_final"], learner=WeightedSum)
    with pytest.raises(ValueError, match="first_layer is 1, but nothing"):
        PETLModel(tiny_ast, learner=WeightedSum, first_layer=1)
    with pytest.raises(ValueError, match="reads is pooled or tokens"):
        PETLModel(tiny_ast, learner=partial(WeightedSum, reads="layers"))
    with pytest.raises(ValueError, match="24 wide .* 5 heads do not divide"):
        PETLModel(tiny_ast, learner=partial(Ladder, heads=5))
    with pytest.raises(ValueError, match="size is 0"):
        PETLModel(tiny_ast, learner=partial(LAdapters, size=0))
    with pytest.raises(ValueError, match="WeightedSum cannot be merged"):
        PETLModel(tiny_ast, learner=WeightedSum).merge()
