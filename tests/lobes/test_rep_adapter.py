"""RepAdapter: its value, its count, exact merging, and when that is refused."""

from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.lora import LoRA
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.rep_adapter import RepAdapter
from torch import nn

adapter = partial(RepAdapter, units=8, groups=2)
BOTH = {"mhsa": adapter, "ffn": adapter}


def randomize(model, std=0.1):
    """Moves all that trains far from the start."""
    for tensor in model.delta().values():
        tensor.data += std * torch.randn_like(tensor)


def test_value_with_groups_by_hand():
    layer = RepAdapter(nn.Linear(6, 6), units=4, groups=2, scale=0.5).eval()
    nn.init.normal_(layer.up.weight)
    nn.init.normal_(layer.up.bias)
    x = torch.randn(2, 3, 6)
    units = x @ layer.down.weight.T + layer.down.bias
    up = torch.zeros(6, 4)
    up[:3, :2], up[3:, 2:] = (
        layer.up.weight[:3, :, 0],
        layer.up.weight[3:, :, 0],
    )
    want = x + 0.5 * (units @ up.T + layer.up.bias)
    torch.testing.assert_close(layer(x), layer.target(want))


def test_count_in_closed_form(tiny_ast):
    d, units, groups, layers = 192, 8, 2, 3
    one = d * units + units + d * units // groups + d
    model = PETLModel(tiny_ast, BOTH)
    assert model.count_parameters()["method"] == layers * 2 * one


def test_merging_is_exact_and_leaves_a_stock_model(tiny_ast):
    model = PETLModel(tiny_ast, BOTH)
    randomize(model)
    x = torch.randn(2, *tiny_ast.input_shape)
    output = model.eval()(x)
    merged = model.merge()
    assert not torch.allclose(output, tiny_ast(x), atol=1e-3)
    torch.testing.assert_close(merged(x), output, rtol=1e-5, atol=1e-5)
    kinds = [type(module) for module in tiny_ast.modules()]
    assert [type(module) for module in merged.modules()] == kinds
    assert merged.state_dict().keys() == tiny_ast.state_dict().keys()
    assert torch.equal(model(x), output), "the model itself was changed"


def test_it_merges_on_top_of_lora_that_is_below(tiny_ast):
    lora = partial(LoRA, rank=2)
    model = PETLModel(tiny_ast, {"query": lora, "mhsa": adapter}).eval()
    randomize(model)
    x = torch.randn(1, *tiny_ast.input_shape)
    torch.testing.assert_close(model.merge()(x), model(x), rtol=1e-4, atol=1e-4)


def test_what_else_reads_the_hidden_states_is_refused(wavlm, tiny_ast):
    """WavLM's attention computes the gates of its bias from them."""
    model = PETLModel(wavlm, {"mhsa": adapter})
    with pytest.raises(ValueError, match="'gru_rel_pos_linear' of .* may read"):
        model.merge()
    model = PETLModel(wavlm, {"ffn": adapter}).eval()
    randomize(model)
    x = torch.randn(1, 4000)
    torch.testing.assert_close(
        model.merge()(x).last_hidden_state,
        model(x).last_hidden_state,
        rtol=1e-4,
        atol=1e-4,
    )
    model = PETLModel(tiny_ast, {"output": adapter})
    with pytest.raises(ValueError, match="belongs at mhsa or ffn"):
        model.merge()


@pytest.mark.parametrize(
    "options", [{"groups": 3}, {"units": 0}, {"groups": 0}]
)
def test_groups_divide_units_and_features(options):
    with pytest.raises(ValueError, match="groups do not divide"):
        RepAdapter(nn.Linear(64, 64), **options)
