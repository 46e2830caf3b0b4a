"""SSF: scale and shift by hand, merging, what it goes over."""

from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.lora import LoRA
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.scale_shift import ScaleShift
from torch import nn

ROLES = ("query", "key", "value", "output", "ffn_up", "ffn_down")
NORMS = ("norm_mhsa", "norm_ffn", "norm_final")
LAYERS = {
    "linear": lambda: nn.Linear(4, 6),
    "without bias": lambda: nn.Linear(4, 6, bias=False),
    "norm": lambda: nn.LayerNorm(4, eps=1e-12),
}


def randomize(module):
    """Gives scales and shifts values far from the start."""
    for name, tensor in module.named_parameters():
        if name.endswith(("gamma", "beta")):
            nn.init.normal_(tensor, mean=0.5, std=1.0)


@pytest.mark.parametrize("kind", LAYERS)
def test_value_and_merging(kind):
    layer = ScaleShift(LAYERS[kind]())
    x = torch.randn(3, 5, 4)
    assert torch.equal(layer(x), layer.target(x))
    randomize(layer)
    want = layer.gamma * layer.target(x) + layer.beta
    torch.testing.assert_close(layer(x), want)
    before = layer.target.weight.clone()
    merged = layer.merge()
    assert type(merged) is type(layer.target)
    torch.testing.assert_close(merged(x), want, rtol=0, atol=1e-5)
    assert torch.equal(layer.target.weight, before)
    assert not any(p.requires_grad for p in merged.parameters())


def test_the_authors_start_is_near_the_identity():
    torch.manual_seed(0)
    layer = ScaleShift(nn.Linear(4, 2000), identity=False)
    assert not layer.identity_at_start
    assert layer.gamma.mean().item() == pytest.approx(1, abs=2e-3)
    for tensor in (layer.gamma, layer.beta):
        assert tensor.std().item() == pytest.approx(0.02, rel=0.1)


def test_a_whole_model_merges_exactly(tiny_ast):
    sites = dict.fromkeys((*ROLES, *NORMS), ScaleShift)
    model = PETLModel(tiny_ast, sites)
    d, layers = 192, 3
    counts = model.count_parameters()
    assert counts["method"] == layers * 2 * (5 * d + 128)
    assert (counts["norm"], counts["norm_final"]) == (layers * 4 * d, 2 * d)
    for tensor in model.delta().values():
        tensor.data += 0.3 * torch.randn_like(tensor)
    merged = model.merge()
    kinds = [type(module) for module in tiny_ast.modules()]
    assert [type(module) for module in merged.modules()] == kinds
    x = torch.randn(2, *tiny_ast.input_shape)
    torch.testing.assert_close(merged(x), model(x), rtol=1e-5, atol=1e-5)


def test_what_it_does_not_go_over_is_refused(tiny_ast):
    with pytest.raises(ValueError, match="not ASTAttention|not ASTSelf"):
        PETLModel(tiny_ast, {"mhsa": ScaleShift})
    below = ScaleShift(LoRA(nn.Linear(4, 4), rank=1))
    with pytest.raises(ValueError, match="over LoRA cannot be merged"):
        below.merge()
    stacked = {"query": [partial(LoRA, rank=2), ScaleShift]}
    model = PETLModel(tiny_ast, stacked)
    for tensor in model.delta().values():
        tensor.data += 0.1 * torch.randn_like(tensor)
    x = torch.randn(1, *tiny_ast.input_shape)
    torch.testing.assert_close(model.merge()(x), model(x), rtol=1e-4, atol=1e-4)
