"""Sharing copies: one memory, and none of them changes another."""

import copy
from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.insertion import Parallel
from speechbrain_petl.lobes.lora import LoRA
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.share import share
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

ADAPTER = partial(Parallel, adapter=partial(Bottleneck, reduction_rate=8))
LORA = {"query": partial(LoRA, rank=2)}


def memory(module):
    """Where each tensor of a module is."""
    return {n: t.data_ptr() for n, t in module.state_dict().items()}


def test_all_is_shared_but_what_is_owned():
    layer = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    own = [layer[0].bias, layer[1].running_mean]
    copied = share(layer, own)
    ours, theirs = memory(copied), memory(layer)
    differ = {name for name in ours if ours[name] != theirs[name]}
    assert differ == {"0.bias", "1.running_mean"}
    assert not {id(m) for m in copied.modules()} & {
        id(m) for m in layer.modules()
    }
    grads = {n: p.requires_grad for n, p in copied.named_parameters()}
    assert grads == {n: n == "0.bias" for n in grads}
    assert all(p.requires_grad for p in layer.parameters())


def test_tied_and_parametrized_tensors():
    layer = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])
    layer[1].weight = layer[0].weight
    copied = share(layer)
    assert copied[0].weight is copied[1].weight
    normed = weight_norm(nn.Conv1d(3, 3, 3))
    again = share(normed)
    assert memory(again) == memory(normed)
    x = torch.randn(1, 3, 5)
    assert torch.equal(again(x), normed(x))


CHANGES = {
    "double": lambda m: m.double(),
    "half": lambda m: m.half(),
    "to_dtype": lambda m: m.to(torch.bfloat16),
    "to_device": lambda m: m.to("meta"),
    "load": lambda m: m.load_state_dict(
        {n: torch.ones_like(t) for n, t in m.state_dict().items()}
    ),
    "load_a_part": lambda m: next(m.children()).load_state_dict(
        {
            n: torch.ones_like(t)
            for n, t in next(m.children()).state_dict().items()
        }
    ),
}
WHO = {
    "source": lambda family: family[0],
    "inside_the_source": lambda family: family[0].model,
    "model": lambda family: family[1],
    "inside_the_model": lambda family: family[1].model.model,
    "merged": lambda family: family[3],
}


@pytest.mark.parametrize("who", WHO.values(), ids=WHO)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_one_is_no_change_of_another(tiny_ast, change, who):
    """Whoever of source, model, sibling and merged model is changed."""
    other = PETLModel(tiny_ast, {"ffn": ADAPTER})
    model = PETLModel(tiny_ast, LORA)
    family = [tiny_ast, model, other, model.merge()]
    x = torch.randn(1, *tiny_ast.input_shape)
    before = [copy.deepcopy(m.state_dict()) for m in family]
    outputs = [m(x) for m in family]
    changed = who(family)
    change(changed)
    parts = {id(part) for part in changed.modules()}
    for one, state, output in zip(family, before, outputs, strict=True):
        if any(id(part) in parts for part in one.modules()):
            continue
        for name, tensor in one.state_dict().items():
            assert tensor.dtype == state[name].dtype, name
            assert torch.equal(tensor, state[name]), name
        assert torch.equal(one(x), output)


def test_what_changes_nothing_ends_no_sharing(tiny_ast):
    model = PETLModel(tiny_ast).to("cpu").float()
    pointers = {p.data_ptr() for p in tiny_ast.parameters()}
    assert {p.data_ptr() for p in model.parameters()} == pointers


def test_a_copy_of_a_copy_shares_too(tiny_ast):
    again = share(share(tiny_ast))
    assert memory(again) == memory(tiny_ast)
    again.load_state_dict(
        {n: torch.zeros_like(t) for n, t in again.state_dict().items()}
    )
    assert not memory(again).items() & memory(tiny_ast).items()


def test_a_loaded_state_is_all_there(tiny_ast):
    model = PETLModel(tiny_ast, {"ffn": ADAPTER})
    state = {n: torch.randn_like(t) for n, t in model.state_dict().items()}
    model.load_state_dict(state)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, state[name]), name
