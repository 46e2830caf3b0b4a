"""Batched attention is as near to the truth as PyTorch's, and says where."""

from argparse import Namespace

import pytest
import torch
from speechbrain_petl.lobes import attention
from speechbrain_petl.lobes.ast import AST
from torch.utils.checkpoint import checkpoint

SDPA = torch.nn.functional.scaled_dot_product_attention


@pytest.fixture(autouse=True, params=["kept", "computed again"])
def keeps(request, monkeypatch):
    """Tries both ways of the backward pass."""
    found = request.param == "kept"
    monkeypatch.setattr(attention, "keeps", lambda size: found)
    return found


def tensors(keys=37, dtype=torch.bfloat16, size=(2, 3, 29, 16), factor=1.0):
    """Queries, keys and values [B, H, T, d_h] as a projection leaves them."""
    generator = torch.Generator().manual_seed(0)
    clips, heads, queries, width = size
    return [
        (torch.randn(clips, n, heads, width, generator=generator) * scale)
        .to(dtype)
        .transpose(1, 2)
        .requires_grad_()
        for n, scale in ((queries, factor), (keys, factor), (keys, 1.0))
    ]


def ours(q, k, v, mask=None, dropout=0.0, scale=None):
    """In the layout of PyTorch's function."""
    output, weights = attention.attention(
        Namespace(is_causal=False),
        q,
        k,
        v,
        mask,
        dropout=dropout,
        scaling=scale,
    )
    assert weights is None
    return output.transpose(1, 2)


def gradients(attend, inputs):
    """Output and gradients, in float64."""
    output = attend(*inputs)
    weights = torch.sin(torch.arange(output.numel())).view(output.shape)
    output.backward(weights.to(output.dtype))
    found = [output.detach(), *(x.grad for x in inputs)]
    for x in inputs:
        x.grad = None
    return [x.double() for x in found]


def errors(inputs):
    """Relative errors of output and gradients: ours, and PyTorch's."""
    exact = [x.detach().double().requires_grad_() for x in inputs]
    truth = gradients(SDPA, exact)
    return [
        [
            ((a - t).norm() / t.norm()).item()
            for a, t in zip(gradients(attend, inputs), truth, strict=True)
        ]
        for attend in (ours, SDPA)
    ]


@pytest.mark.parametrize("keys", [29, 37])
@pytest.mark.parametrize("cache", [1, 2**21])
def test_as_near_to_the_truth_as_pytorchs(keys, cache, monkeypatch):
    monkeypatch.setattr(attention, "CACHE", cache)
    mine, theirs = errors(tensors(keys))
    for a, b in zip(mine, theirs, strict=True):
        assert a < 1.3 * b < 0.01


@pytest.mark.parametrize("width", [64, 48])  # a scale of 2^-3, and another
@pytest.mark.parametrize(("factor", "score"), [(1.1, 6), (2.8, 40)])
def test_large_scores_cost_no_precision(factor, score, width):
    inputs = tensors(300, size=(1, 4, 300, width), factor=factor)
    largest = (inputs[0] @ inputs[1].mT).abs().max() * width**-0.5
    assert 0.9 * score < largest < 1.1 * score
    (out, *mine), (their_out, *theirs) = errors(inputs)
    assert out < 1.3 * their_out < 0.004
    # All gradients taken together; with large scores each of them.
    assert torch.tensor(mine).norm() <= torch.tensor(theirs).norm()
    if score == 40:
        assert all(a <= b for a, b in zip(mine, theirs, strict=True))
    assert max(mine) < 0.005


def test_kept_or_not_the_gradients_are_equal(monkeypatch):
    monkeypatch.setattr(attention, "CACHE", 1)
    found = []
    for kept in (True, False):
        monkeypatch.setattr(attention, "keeps", lambda size, kept=kept: kept)
        found.append(gradients(ours, tensors()))
    assert all(map(torch.equal, *found))


def test_checkpointing_drops_what_is_kept(keeps):
    inputs = tensors()
    expected = gradients(ours, inputs)
    sizes = []

    def pack(x):
        sizes.append(x.shape)
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        ours(*inputs)
    assert (torch.Size([6, 29, 37]) in sizes) == keeps
    found = gradients(
        lambda *x: checkpoint(ours, *x, use_reentrant=False), inputs
    )
    assert all(map(torch.equal, found, expected))


def test_only_what_is_asked_for_has_a_gradient():
    q, k, v = tensors()
    k.requires_grad_(False)
    ours(q, k, v).float().sum().backward()
    assert k.grad is None and q.grad is not None and v.grad is not None


@pytest.mark.parametrize("case", ["fp32", "no_grad", "mask", "dropout"])
def test_all_else_is_left_to_pytorch(case):
    inputs = tensors(dtype=torch.float32 if case == "fp32" else torch.bfloat16)
    mask = torch.rand(2, 1, 29, 37) < 0.5 if case == "mask" else None
    dropout = 0.5 if case == "dropout" else 0.0
    with torch.set_grad_enabled(case != "no_grad"):
        torch.manual_seed(0)
        output = ours(*inputs, mask=mask, dropout=dropout)
        torch.manual_seed(0)
        same = SDPA(*inputs, attn_mask=mask, dropout_p=dropout)
    assert torch.equal(output, same)
    names = str(output.grad_fn) + str(
        output.grad_fn and output.grad_fn.next_functions
    )
    assert "BatchedAttention" not in names


@pytest.mark.parametrize("floats", [(0,), (1,), (1, 2), (0, 1, 2)])
def test_under_autocast_all_have_one_precision(floats):
    """A scale over keys or values alone leaves them in float32."""
    inputs = tensors()
    mixed = [
        x.detach().float().requires_grad_() if i in floats else x
        for i, x in enumerate(inputs)
    ]
    with torch.autocast("cpu", torch.bfloat16):
        output = ours(*mixed)
        expected = ours(*inputs)
    assert torch.equal(output, expected)
    found = torch.autograd.grad(output.float().sum(), mixed)
    wanted = torch.autograd.grad(expected.float().sum(), inputs)
    assert [x.dtype for x in found] == [x.dtype for x in mixed]
    for one, other in zip(found, wanted, strict=True):
        assert torch.equal(one.bfloat16(), other)


def test_a_backbone_has_it(tiny_folder):
    ast = AST(tiny_folder, max_length=48)
    assert ast.config._attn_implementation == attention.NAME
    feats = torch.rand(2, 48, 128, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        output = ast(feats)
    seen, todo = set(), [output.grad_fn]
    while todo:
        node = todo.pop()
        if node is not None and node not in seen:
            seen.add(node)
            todo += [function for function, _ in node.next_functions]
    names = [node.name() for node in seen]
    assert names.count("BatchedAttentionBackward") == 3
    assert ast.config.num_hidden_layers == 3


@pytest.mark.parametrize("name", ["sdpa", "eager", "batched"])
def test_the_lobe_has_an_option(tiny_folder, name):
    ast = AST(tiny_folder, max_length=48, attn_implementation=name)
    assert ast.config._attn_implementation == name
    default = AST(tiny_folder, max_length=48)
    feats = torch.rand(2, 48, 128)
    torch.testing.assert_close(ast(feats), default(feats))
    with pytest.raises(ValueError, match="batched, sdpa, eager, not 'flash'"):
        AST(tiny_folder, attn_implementation="flash")
