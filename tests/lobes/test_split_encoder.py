"""SplitEncoder: the caller says what it gives."""

from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.insertion import Parallel
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.split_encoder import SplitEncoder


@pytest.mark.parametrize("unfrozen", [(), ["norm_final"]])
def test_both_parts_are_the_model(tiny_ast, unfrozen):
    model = PETLModel(tiny_ast, unfrozen=unfrozen)
    for tensor in model.delta().values():
        torch.nn.init.normal_(tensor)
    split = SplitEncoder(model, cache=True)
    feats = torch.randn(2, *tiny_ast.input_shape)
    states = split.frozen(feats, torch.ones(2))
    torch.testing.assert_close(split.finish(states), model(feats))
    torch.testing.assert_close(split(states, stored=True), split(feats))


def test_stored_states_go_with_a_cache_only(tiny_ast):
    adapter = partial(Parallel, adapter=partial(Bottleneck, reduction_rate=8))
    split = SplitEncoder(PETLModel(tiny_ast, {"ffn": adapter}))
    states = torch.randn(2, tiny_ast.embedding_size)
    with pytest.raises(ValueError, match="cache=True may be given stored"):
        split(states, stored=True)
