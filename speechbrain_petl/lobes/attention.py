"""Attention whose backward pass in bf16 is fast on CPUs too.

PyTorch's fused attention for the CPU is fast forwards, but its backward pass
in bf16 is slower than that in float32. Here the backward pass recomputes the
probabilities for some heads at a time, so that they stay in the cache and need
no new memory, and is made of batched products, which are fast in bf16. With S = scale Q K^T,
P = softmax(S), O = P V and G the gradient of O::

    dV = P^T G,  dP = G V^T,  dS = P * (dP - rowsum(P * dP))
    dQ = scale dS K,  dK = scale dS^T Q

Everything else (GPUs, float32, no gradients, ``torch.compile``, masks,
dropout, causality) is transformers' ``sdpa``.
"""

from typing import Any

import torch
from torch.autograd.function import once_differentiable
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

# Its name in transformers, as ``attn_implementation``
NAME = "sdpa_batched_backward"
CACHE = 2**21  # bytes of probabilities for each thread at a time
SOFTMAX_BACKWARD = torch.ops.aten._softmax_backward_data.out


class BatchedBackward(torch.autograd.Function):
    """Scaled dot-product attention [B, H, T, d_h]; see the module's text."""

    @staticmethod
    def forward(
        ctx,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        """Computes attention as PyTorch does."""
        ctx.save_for_backward(query, key, value)
        ctx.scale = scale
        return torch.nn.functional.scaled_dot_product_attention(
            query, key, value, scale=scale
        )

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: torch.Tensor) -> tuple:
        """Computes the gradients for some heads at a time, in one memory."""
        saved: tuple[torch.Tensor, ...] = ctx.saved_tensors
        query, key, value, grad = (x.flatten(0, 1) for x in (*saved, grad))
        size = query.element_size() * query.shape[1] * key.shape[1]
        heads = torch.get_num_threads() * max(1, CACHE // size)
        inputs = (query * ctx.scale, key, key * ctx.scale, value, grad)
        outputs = tuple(torch.empty_like(x) for x in (query, key, value))
        parts = zip(*(x.split(heads) for x in (*inputs, *outputs)), strict=True)
        shape = min(heads, len(query)), query.shape[1], key.shape[1]
        memory = query.new_empty(3, *shape)
        for q, k, k_scaled, v, g, dq, dk, dv in parts:
            s, p, dp = memory[:, : len(q)]
            torch.softmax(torch.bmm(q, k.mT, out=s), dim=-1, out=p)
            torch.bmm(p.mT, g, out=dv)
            torch.bmm(g, v.mT, out=dp)
            ds = SOFTMAX_BACKWARD(dp, p, -1, p.dtype, grad_input=s)
            torch.bmm(ds, k_scaled, out=dq)
            torch.bmm(ds.mT, q, out=dk)
        shaped = (
            x.view(like.shape) for x, like in zip(outputs, saved, strict=True)
        )
        return (*shaped, None)


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
    (torch.Size([2, 5, 3, 4]), 'BatchedBackwardBackward')
    """
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
        output = BatchedBackward.apply(query, key, value, scaling)
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
