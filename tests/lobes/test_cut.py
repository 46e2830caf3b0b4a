"""The cut is found by the model itself, or refused with a sentence."""

from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.conformer import Conformer
from speechbrain_petl.lobes.cut import find_cut, interrupt
from speechbrain_petl.lobes.insertion import Parallel
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.prompts import Prompts
from torch import nn
from transformers import ASTConfig, ASTModel

ADAPTER = partial(Parallel, adapter=partial(Bottleneck, reduction_rate=8))


@pytest.mark.parametrize(
    "insertions, unfrozen, name",
    [
        ({}, [], "pooled (mean)"),
        (
            {},
            ["norm_final"],
            "pooled (mean), before the final weight and bias",
        ),
        ({"ffn[2]": ADAPTER}, ["norm_final"], "layer 2"),
        ({"ffn[1:]": ADAPTER}, ["norm_ffn[1:]"], "layer 1"),
        # BatchNorm's statistics change in training.
        ({"ffn[1]": partial(Parallel, adapter=Conformer)}, [], "layer 1"),
        ({"norm_final": ADAPTER}, [], "layer 3"),
    ],
)
def test_where_it_is(tiny_ast, insertions, unfrozen, name):
    assert find_cut(PETLModel(tiny_ast, insertions, unfrozen)).name == name


@pytest.mark.parametrize(
    "insertions, unfrozen, name",
    [
        ({"ffn": ADAPTER}, [], "ffn.0.adapter"),
        ({"tokens": partial(Prompts, n_prompts=2)}, [], "tokens.prompts"),
        ({}, ["norm_final", "norm_ffn"], "norm_ffn.0.bias"),
        ({}, ["*"], "patches.bias"),
    ],
)
def test_what_trains_in_front_is_named(tiny_ast, insertions, unfrozen, name):
    model = PETLModel(tiny_ast, insertions, unfrozen)
    with pytest.raises(ValueError, match=rf"'{name}.* stored_states to null"):
        find_cut(model)


def test_a_deviation_is_not_linear(tiny_ast):
    """A weight behind the normalization changes more than a factor there."""
    model = PETLModel(tiny_ast, unfrozen=["norm_final"])
    type(model.model).pools_linearly = property(lambda self: False)
    try:
        assert find_cut(model).name == "layer 3"
    finally:
        type(model.model).pools_linearly = property(lambda self: True)


def test_what_cannot_be_cut(tiny_ast):
    stock = PETLModel(ASTModel(ASTConfig(num_hidden_layers=1)))
    with pytest.raises(ValueError, match="one of the library's backbones"):
        find_cut(stock)
    noisy = PETLModel(tiny_ast, frozen_in_train_mode=True)
    with pytest.raises(ValueError, match="random in training"):
        find_cut(noisy)


class Shared(nn.Module):
    """A layer that reads what the first one made for all."""

    def forward(self, hidden, position_bias=None):
        """Returns the tokens."""
        return hidden + position_bias


def test_a_layer_that_reads_more_is_refused():
    layer, x = Shared(), torch.ones(2)
    with pytest.raises(ValueError, match="Shared reads more than the tokens"):
        interrupt(layer, lambda: layer(x, position_bias=x.clone()))
    with pytest.raises(ValueError, match="was not called"):
        interrupt(layer, lambda: None)
    assert not layer._forward_pre_hooks
