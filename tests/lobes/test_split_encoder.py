"""SplitEncoder: both parts together are the model, wherever it is cut."""

from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.insertion import Parallel
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.split_encoder import SplitEncoder

ADAPTER = partial(Parallel, adapter=partial(Bottleneck, reduction_rate=8))


def moved(model):
    """The model with all that trains away from its start."""
    generator = torch.Generator().manual_seed(0)
    for tensor in model.delta().values():
        torch.nn.init.normal_(tensor, generator=generator)
    return model


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize(
    "insertions, options, shape",
    [
        ({}, {}, (192,)),
        ({}, {"unfrozen": ["norm_final"]}, (192,)),
        ({"ffn[1:]": ADAPTER}, {}, (50, 192)),
        ({"ffn": ADAPTER}, {"first_layer": 2}, (50, 192)),
        ({}, {"unfrozen": ["norm_ffn", "norm_final"], "first_layer": -1}, None),
        ({}, {"unfrozen": ["layer[-1:]"]}, (50, 192)),
    ],
)
def test_both_parts_are_the_model(
    tiny_ast, insertions, options, shape, checkpointing
):
    model = moved(
        PETLModel(
            tiny_ast,
            insertions,
            gradient_checkpointing=checkpointing,
            **options,
        )
    )
    split = SplitEncoder(model)
    feats = torch.randn(2, *tiny_ast.input_shape)
    states = split.frozen(feats, torch.ones(2))
    assert shape is None or states.shape[1:] == shape
    assert not states.requires_grad
    torch.testing.assert_close(split.finish(states), model(feats))
    torch.testing.assert_close(split(states, stored=True), split(feats))
    assert split.count_parameters() == model.count_parameters()


def test_gradients_are_those_of_the_model(tiny_ast):
    model = moved(PETLModel(tiny_ast, {"mhsa": ADAPTER}, first_layer=1))
    split, feats = SplitEncoder(model), torch.randn(2, *tiny_ast.input_shape)
    grads = []
    for output in (model(feats), split(split.frozen(feats), stored=True)):
        model.zero_grad()
        output.square().sum().backward()
        grads.append([t.grad.clone() for t in model.delta().values()])
    torch.testing.assert_close(*grads)
