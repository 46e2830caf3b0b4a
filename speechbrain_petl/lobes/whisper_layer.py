"""Whisper's encoder layer (arXiv 2212.04356) with a module for each site."""

from typing import Any

import torch
from torch import nn
from transformers.models.whisper.modeling_whisper import WhisperEncoderLayer


class FeedForward(nn.Module):
    """Feed-forward network of a layer as one module.

    Arguments
    ---------
    fc1, fc2 : torch.nn.Module
        Linear layers.
    activation : callable
        Non-linearity between them.

    Example
    -------
    >>> FeedForward(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 4))(
    ...     torch.rand(2, 5, 4)
    ... ).shape
    torch.Size([2, 5, 4])
    """

    def __init__(self, fc1: nn.Module, activation: Any, fc2: nn.Module):
        super().__init__()
        self.fc1 = fc1
        self.activation = activation
        self.fc2 = fc2

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Maps [B, T, d] to [B, T, d]."""
        return self.fc2(self.activation(self.fc1(hidden)))


class WhisperLayer(WhisperEncoderLayer):
    """Whisper's layer whose feed-forward network and entry are modules.

    Whatever is frozen stays in evaluation mode in a ``PETLModel``, so that
    the stock layer's dropout, which is in no module, is left out.
    """

    def rewire(self) -> None:
        """Moves the feed-forward network's parts into one module."""
        self.stock_order = list(self._modules)
        self.ffn = FeedForward(self.fc1, self.activation_fn, self.fc2)
        self.entry = nn.Identity()
        del self.fc1, self.fc2

    def undo(self) -> None:
        """Moves the parts back, each to its place."""
        self.add_module("fc1", self.ffn.fc1)
        self.add_module("fc2", self.ffn.fc2)
        for name in self.stock_order:
            self._modules[name] = self._modules.pop(name)
        del self.ffn, self.entry, self.stock_order

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> torch.Tensor:
        """Runs the layer on [B, T, d]."""
        hidden = self.entry(hidden_states)
        normed = self.self_attn_layer_norm(hidden)
        attended = self.self_attn(
            normed, attention_mask=attention_mask, **kwargs
        )
        hidden = hidden + attended[0]
        hidden = hidden + self.ffn(self.final_layer_norm(hidden))
        if hidden.dtype == torch.float16:
            bound = torch.finfo(hidden.dtype).max - 1000
            hidden = hidden.clamp(-bound, bound)
        return hidden


REWIRED = {"WhisperEncoderLayer": WhisperLayer}
