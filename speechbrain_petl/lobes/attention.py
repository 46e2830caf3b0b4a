"""Attention that trains fast in bf16 on CPUs too.

PyTorch's fused attention for the CPU is slow in bf16, above all backwards.
Here both passes are batched products, for some heads at a time, so that what
is between them stays in the cache. With S = scale Q K^T, P = softmax(S),
O = P V and G the gradient of O::

    dV = P^T G,  dP = G V^T,  dS = P * (dP - rowsum(P * dP))
    dQ = scale dS K,  dK = scale dS^T Q

Scores are in float32: in bf16, a score of 40 is off by up to 0.1, and its
probability by a tenth. Probabilities are in bf16, and kept for the backward
pass where memory allows; else they are computed again, and are the same.

Everything else (GPUs, float32, no gradients, ``torch.compile``, masks,
dropout, causality) is transformers' ``sdpa``.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
from speechbrain_petl.utils.memory import available_memory
from torch.autograd.function import once_differentiable
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

# Its name in transformers, as ``attn_implementation``
NAME = "batched"
CACHE = 2**21  # bytes of scores for each thread at a time
#: Share of the available memory that one layer's probabilities may take.
SHARE = 1 / 48
SOFTMAX_BACKWARD = torch.ops.aten._softmax_backward_data.out


class BatchedAttention(torch.autograd.Function):
    """Scaled dot-product attention [B, H, T, d_h]; see the module's text."""

    @staticmethod
    def forward(
        ctx,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        """Computes attention for some heads at a time."""
        q, k, v = (x.flatten(0, 1) for x in (query, key, value))
        output = v.new_empty(*q.shape[:2], v.shape[2])
        kept = None
        if keeps(q.element_size() * len(q) * q.shape[1] * k.shape[1]):
            kept = q.new_empty(len(q), q.shape[1], k.shape[1])
        for some, p in probabilities(q, k, scale, kept):
            torch.bmm(p, v[some], out=output[some])
        # Saved like the inputs, so that checkpointing drops it like them.
        ctx.save_for_backward(query, key, value, kept)
        ctx.scale = scale
        return output.view(*query.shape[:3], v.shape[2])

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: torch.Tensor) -> tuple:
        """Computes the gradients for some heads at a time."""
        *inputs, kept = ctx.saved_tensors
        q, k, v, g = (x.flatten(0, 1) for x in (*inputs, grad))
        dq, dk, dv = (torch.empty_like(x) for x in (q, k, v))
        size = heads_at_once(q, k), q.shape[1], k.shape[1]
        memory = q.new_empty(2, *size)
        if kept is None:
            parts = probabilities(q, k, ctx.scale, None)
        else:
            parts = ((some, kept[some]) for some in slices(q, k))
        scaled = {"beta": 0, "alpha": ctx.scale}
        for some, p in parts:
            dp, ds = memory[:, : len(p)]
            torch.bmm(p.mT, g[some], out=dv[some])
            torch.bmm(g[some], v[some].mT, out=dp)
            SOFTMAX_BACKWARD(dp, p, -1, p.dtype, grad_input=ds)
            torch.baddbmm(dq[some], ds, k[some], out=dq[some], **scaled)
            torch.baddbmm(dk[some], ds.mT, q[some], out=dk[some], **scaled)
        shaped = zip((dq, dk, dv), inputs, strict=True)
        return (*(x.view(like.shape) for x, like in shaped), None)


def probabilities(
    q: torch.Tensor, k: torch.Tensor, scale: float, kept: torch.Tensor | None
) -> Iterator[tuple[slice, torch.Tensor]]:
    """Computes the probabilities of some heads after the others.

    Arguments
    ---------
    q, k : torch.Tensor
        Queries [H, T, d_h] and keys [H, S, d_h] of all clips' heads.
    scale : float
        Factor of the scores.
    kept : torch.Tensor, optional
        Where all of them [H, T, S] are kept; else the next overwrite the last.

    Yields
    ------
    some : slice
        Which heads.
    p : torch.Tensor
        Their probabilities [h, T, S].
    """
    size = heads_at_once(q, k), q.shape[1], k.shape[1]
    memory = q.new_empty(2, *size, dtype=torch.float32)
    one = q.new_empty(size if kept is None else 0)
    q, k = q.float() * scale, k.float()
    for some in slices(q, k):
        scores, exact = memory[:, : len(q[some])]
        p = one[: len(scores)] if kept is None else kept[some]
        torch.bmm(q[some], k[some].mT, out=scores)
        yield some, p.copy_(torch.softmax(scores, -1, out=exact))


def heads_at_once(q: torch.Tensor, k: torch.Tensor) -> int:
    """Returns how many heads' scores fit into the threads' caches."""
    share = max(1, CACHE // (4 * q.shape[1] * k.shape[1]))
    return min(len(q), torch.get_num_threads() * share)


def slices(q: torch.Tensor, k: torch.Tensor) -> Iterator[slice]:
    """Yields all heads, as many at a time."""
    heads = heads_at_once(q, k)
    for start in range(0, len(q), heads):
        yield slice(start, start + heads)


@cache
def keeps(size: int) -> bool:
    """Returns True if a layer may keep so many bytes.

    Decided once for each size: gradient checkpointing wants the same tensors
    kept whenever a layer is computed.
    """
    return size <= SHARE * available_memory()


def attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Computes attention in the form that transformers calls.

    Arguments
    ---------
    module : torch.nn.Module
        Attention module of transformers; has ``is_causal``.
    query, key, value : torch.Tensor
        Heads [B, H, T, d_h]; there may be more keys and values than queries.
    attention_mask : torch.Tensor, optional
        Mask as in ``sdpa``.
    dropout : float
        Dropout rate of the attention weights.
    scaling : float, optional
        Factor of the scores; 1 / sqrt(d_h) by default.
    **kwargs : dict
        Other arguments of ``sdpa``.

    Returns
    -------
    output : torch.Tensor
        Attention's output [B, T, H, d_h].
    weights : None
        Attention weights, which are not computed.

    Example
    -------
    >>> from argparse import Namespace
    >>> x = torch.rand(2, 3, 5, 4, dtype=torch.bfloat16, requires_grad=True)
    >>> output, _ = attention(Namespace(is_causal=False), x, x, x, None)
    >>> output.shape, output.grad_fn.next_functions[0][0].name()
    (torch.Size([2, 5, 3, 4]), 'BatchedAttentionBackward')
    """
    if query.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
        # As sdpa does: a wrapper over one of them may have given float32.
        wanted = torch.get_autocast_dtype("cpu")
        query, key, value = (x.to(wanted) for x in (query, key, value))
    trains = torch.is_grad_enabled() and any(
        x.requires_grad for x in (query, key, value)
    )
    if (
        trains
        and query.device.type == "cpu"
        and query.dtype == torch.bfloat16
        and attention_mask is None
        and not dropout
        and not kwargs.get("is_causal", getattr(module, "is_causal", True))
        and kwargs.get("position_bias") is None
        and not torch.compiler.is_compiling()
    ):
        if scaling is None:
            scaling = query.shape[-1] ** -0.5
        output = BatchedAttention.apply(query, key, value, scaling)
        return output.transpose(1, 2), None
    return sdpa_attention_forward(
        module,
        query,
        key,
        value,
        attention_mask,
        dropout=dropout,
        scaling=scaling,
        **kwargs,
    )


AttentionInterface.register(NAME, attention)
