"""The batched backward pass gives what PyTorch's own gives."""

from argparse import Namespace

import pytest
import torch
from speechbrain_petl.lobes import attention
from speechbrain_petl.lobes.ast import AST

SDPA = torch.nn.functional.scaled_dot_product_attention


def tensors(keys=37, dtype=torch.bfloat16):
    """Queries, keys and values [B, H, T, d_h] as a projection leaves them."""
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randn(2, n, 3, 16, generator=generator)
        .to(dtype)
        .transpose(1, 2)
        .requires_grad_()
        for n in (29, keys, keys)
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


@pytest.mark.parametrize("keys", [29, 37])
@pytest.mark.parametrize("cache", [1, 2**21])
def test_as_near_to_the_truth_as_pytorchs(keys, cache, monkeypatch):
    monkeypatch.setattr(attention, "CACHE", cache)
    inputs = tensors(keys)
    exact = [x.detach().double().requires_grad_() for x in inputs]
    truth = gradients(SDPA, exact)
    mine, theirs = gradients(ours, inputs), gradients(SDPA, inputs)
    torch.testing.assert_close(mine[0], theirs[0], rtol=0, atol=0)
    for a, b, t in zip(mine, theirs, truth, strict=True):
        assert (a - t).norm() < 2 * (b - t).norm() < 0.02 * t.norm()


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
    assert "BatchedBackward" not in names


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
    assert names.count("BatchedBackwardBackward") == 3
    assert ast.config.num_hidden_layers == 3
