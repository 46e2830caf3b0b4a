"""Checkpointed: a layer whose activations are computed twice, not kept."""

import contextlib

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


class Checkpointed(nn.Module):
    """Gradient checkpointing of its target (arXiv 1604.06174).

    Non-reentrant: the reentrant kind gives no gradient at all when, as here,
    nothing that the layer reads needs one. Buffers, such as BatchNorm's
    running statistics, are updated by the first computation only.

    Arguments
    ---------
    target : torch.nn.Module
        The layer.

    Example
    -------
    >>> layer = Checkpointed(nn.Linear(4, 4))
    >>> layer(torch.rand(2, 4)).sum().backward()
    >>> layer.target.weight.grad.shape
    torch.Size([4, 4])
    """

    def __init__(self, target: nn.Module):
        super().__init__()
        self.target = target

    def forward(self, *args, **kwargs):
        """Calls the target; keeps its activations only without gradients."""
        if not torch.is_grad_enabled():
            return self.target(*args, **kwargs)
        return checkpoint(
            self.target,
            *args,
            use_reentrant=False,
            context_fn=lambda: (contextlib.nullcontext(), self.unchanged()),
            **kwargs,
        )

    def merge(self) -> nn.Module:
        """The layer itself."""
        return self.target

    @contextlib.contextmanager
    def unchanged(self):
        """Puts the target's buffers back to what they were on entering."""
        before = [(b, b.clone()) for b in self.target.buffers()]
        try:
            yield
        finally:
            for buffer, value in before:
                buffer.data.copy_(value)
