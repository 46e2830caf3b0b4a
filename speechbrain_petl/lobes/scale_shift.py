"""SSF: scaling and shifting features (arXiv 2210.08823)."""

from typing import Any

import torch
from speechbrain_petl.lobes.wrapper import Wrapper, innermost, join, split
from torch import nn


class ScaleShift(Wrapper):
    """A layer whose output is scaled and shifted: ``gamma * f(x) + beta``.

    It costs nothing once trained, since ``merge()`` folds it into the layer:
    of a linear layer ``W' = gamma W``, ``b' = gamma b + beta``, and likewise
    of a LayerNorm. SSF has it over every linear layer and LayerNorm.

    Arguments
    ---------
    target : torch.nn.Module
        Linear layer or LayerNorm, or wrappers over one.
    identity : bool
        If True, starts as gamma 1 and beta 0. ``False`` is the start of the
        authors' code, N(1, 0.02^2) and N(0, 0.02^2).

    Raises
    ------
    ValueError
        If the target is neither a linear layer nor a LayerNorm.

    Example
    -------
    >>> layer = ScaleShift(nn.Linear(4, 6))
    >>> layer.gamma.shape, sum(p.numel() for p in layer.parameters())
    (torch.Size([6]), 42)
    """

    def __init__(self, target: nn.Module, identity: bool = True):
        super().__init__(target)
        stock = innermost(target)
        if not isinstance(stock, (nn.Linear, nn.LayerNorm)):
            raise ValueError(
                "ScaleShift goes over a linear layer or a LayerNorm, not "
                f"{type(stock).__name__}: choose a role such as query, ffn_up "
                "or norm_mhsa."
            )
        width = stock.weight.shape[0]
        self.identity_at_start = identity
        self.gamma = nn.Parameter(torch.ones(width))
        self.beta = nn.Parameter(torch.zeros(width))
        if not identity:
            nn.init.normal_(self.gamma, mean=1.0, std=0.02)
            nn.init.normal_(self.beta, std=0.02)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the layer on [..., n_in], and scales and shifts [..., n_out]."""
        output, rest = split(self.target(*args, **kwargs))
        return join(output * self.gamma + self.beta, rest)

    @torch.no_grad()
    def merge(self) -> nn.Module:
        """Returns a plain layer that computes the same.

        Raises
        ------
        ValueError
            If another wrapper is between it and the layer.
        """
        stock: Any = self.target
        if not isinstance(stock, (nn.Linear, nn.LayerNorm)):
            raise ValueError(
                f"ScaleShift over {type(stock).__name__} cannot be merged: "
                "merge what is below it first."
            )
        by_row = self.gamma.view(-1, *[1] * (stock.weight.dim() - 1))
        weight = (by_row * stock.weight.float()).to(stock.weight.dtype)
        bias = self.beta.clone()
        if stock.bias is not None:
            bias += self.gamma * stock.bias.float()
        merged = _empty_like(stock)
        merged.weight = nn.Parameter(weight, requires_grad=False)
        merged.bias = nn.Parameter(bias.to(weight.dtype), requires_grad=False)
        return merged


def _empty_like(layer: Any) -> Any:
    """Returns a layer of the same kind and size, with a bias, without memory."""
    if isinstance(layer, nn.LayerNorm):
        shape, eps = layer.normalized_shape, layer.eps
        return nn.LayerNorm(list(shape), eps=eps, device="meta")
    return nn.Linear(layer.in_features, layer.out_features, device="meta")
