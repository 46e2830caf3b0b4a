"""LoRA: a low-rank update beside a linear layer (arXiv 2106.09685)."""

import torch
from speechbrain_petl.lobes.adapters import bottleneck_width, start
from speechbrain_petl.lobes.wrapper import Wrapper, innermost
from torch import nn


class LoRA(Wrapper):
    """A linear layer plus a low-rank one: ``W x + scale * up(down(x))``.

    For the sites ``query``, ``key``, ``value`` and ``output``, or any other
    that is a linear layer. In the manner of arXiv 2312.03694 the rank is
    ``round(d / reduction_rate)`` and ``scale = alpha / reduction_rate``; with
    ``rank`` given, ``scale = alpha / rank`` as usual.

    Arguments
    ---------
    target : torch.nn.Linear
        Linear layer, or wrappers over one.
    reduction_rate : float, optional
        Ratio of d to the rank. Give this or ``rank``.
    rank : int, optional
        Rank of the update.
    alpha : float
        Numerator of the scale.
    dropout : float
        Probability of dropping an input of the low-rank path in training.
    identity : bool
        If True, ``up`` starts at zero. ``False`` is the reference code's real
        start, with both projections N(0, 0.02^2).

    Raises
    ------
    ValueError
        If not exactly one of ``reduction_rate`` and ``rank`` is given, the
        rank is not between 1 and d, or the target is not a linear layer.

    Example
    -------
    >>> layer = LoRA(nn.Linear(768, 768), reduction_rate=128)
    >>> layer.down.weight.shape, layer.scale
    (torch.Size([6, 768]), 0.0625)
    """

    def __init__(
        self,
        target: nn.Module,
        reduction_rate: float | None = None,
        rank: int | None = None,
        alpha: float = 8.0,
        dropout: float = 0.0,
        identity: bool = True,
    ):
        super().__init__(target)
        if (reduction_rate is None) == (rank is None):
            raise ValueError(
                "LoRA takes either reduction_rate or rank, not "
                f"{'neither' if rank is None else 'both'}."
            )
        linear = innermost(target)
        if not isinstance(linear, nn.Linear):
            raise ValueError(
                f"LoRA goes over a linear layer, not {type(linear).__name__}: "
                "choose a role such as query, key, value or output."
            )
        n_out, n_in = linear.weight.shape
        if rank is None:
            rank = bottleneck_width(n_in, reduction_rate or 0)
        if rank not in range(1, n_in + 1):
            raise ValueError(f"rank is between 1 and {n_in}, not {rank}.")
        self.scale = alpha / (reduction_rate or rank)
        self.dropout = nn.Dropout(dropout)
        self.down = nn.Linear(n_in, rank, bias=False)
        self.up = nn.Linear(rank, n_out, bias=False)
        start(self.down, self.up, identity=identity)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps [..., n_in] to [..., n_out]."""
        update = self.up(self.down(self.dropout(x)))
        return self.target(x) + self.scale * update

    @torch.no_grad()
    def merge(self) -> nn.Linear:
        """Returns a plain linear layer that computes the same, but for dropout."""
        if not isinstance(self.target, nn.Linear):
            raise ValueError(
                f"LoRA over {type(self.target).__name__} cannot be merged: "
                "merge what is below it first."
            )
        stock = self.target.weight
        update = self.up.weight.float() @ self.down.weight.float()
        weight = (stock.float() + self.scale * update).to(stock.dtype)
        n_out, n_in = weight.shape
        merged = nn.Linear(n_in, n_out, bias=False, device="meta")
        merged.weight = nn.Parameter(weight, requires_grad=False)
        merged.bias = self.target.bias
        return merged
