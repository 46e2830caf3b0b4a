"""Checkpointed: a layer whose activations are computed twice, not kept."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from speechbrain_petl.lobes.wrapper import Wrapper
from torch import nn
from torch.utils.checkpoint import checkpoint


class Checkpointed(Wrapper):
    """Gradient checkpointing of its target (arXiv 1604.06174).

    Non-reentrant: the reentrant kind gives no gradient at all when, as here,
    nothing that the layer reads needs one. Buffers, such as BatchNorm's
    running statistics, are updated by the first computation only.

    ``torch.compile`` compiles the target, but not the checkpointing around it
    (it knows no ``context_fn``): with ``fullgraph=True`` it therefore refuses
    a model that trains.

    Arguments
    ---------
    target : torch.nn.Module
        Layer.

    Example
    -------
    >>> layer = Checkpointed(nn.Linear(4, 4))
    >>> layer(torch.rand(2, 4)).sum().backward()
    >>> layer.target.weight.grad.shape
    torch.Size([4, 4])
    """

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the target without keeping its activations."""
        if not torch.is_grad_enabled():
            return self.target(*args, **kwargs)
        return self.checkpoint(*args, **kwargs)

    @torch.compiler.disable(recursive=False)
    def checkpoint(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the target now, and once more in the backward pass."""
        return checkpoint(
            self.target,
            *args,
            use_reentrant=False,
            context_fn=lambda: (contextlib.nullcontext(), self.unchanged()),
            **kwargs,
        )

    def merge(self) -> nn.Module:
        """Returns the layer itself."""
        return self.target

    @contextlib.contextmanager
    def unchanged(self) -> Iterator[None]:
        """Restores the target's buffers to what they were on entering."""
        before = [(b, b.clone()) for b in self.target.buffers()]
        try:
            yield
        finally:
            for buffer, value in before:
                buffer.data.copy_(value)
