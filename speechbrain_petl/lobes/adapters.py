"""Adapters: small networks from [B, T, d] to [B, T, d]."""

import torch
from torch import nn


def bottleneck_width(width: int, reduction_rate: float) -> int:
    """Width ``r = round(d / reduction_rate)`` of a bottleneck.

    Python's rounding (half to even), as in the papers' counts.

    Raises
    ------
    ValueError
        If the rate is not positive or leaves no unit.

    Example
    -------
    >>> bottleneck_width(768, 64)
    12
    """
    narrow = round(width / reduction_rate) if reduction_rate > 0 else 0
    if narrow < 1:
        raise ValueError(
            f"reduction_rate {reduction_rate} leaves no unit of {width}: "
            f"choose a number above 0 and at most {width}."
        )
    return narrow


def start(
    down: nn.Module, up: nn.Module, std: float = 0.02, identity: bool = True
) -> None:
    """Initialises an adapter's first and last projection.

    ``down ~ N(0, std^2)``; ``up`` is zero, so that the adapter adds nothing
    at step 0 and every tensor trains after one update. With
    ``identity=False`` both are random, which is what the reference code
    really trained from: its zeros were overwritten on loading.
    """
    nn.init.trunc_normal_(down.weight, std=std)
    if identity:
        nn.init.zeros_(up.weight)
    else:
        nn.init.trunc_normal_(up.weight, std=std)
    for layer in (down, up):
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


class Bottleneck(nn.Module):
    """Bottleneck adapter: ``up(dropout(activation(down(x))))``.

    Houlsby et al., arXiv 1902.00751; as in arXiv 2312.03694 with GELU.

    Arguments
    ---------
    width : int
        Size d of input and output.
    reduction_rate : float
        d over the bottleneck's width; ``round(d / reduction_rate)`` units.
    activation : callable
        Makes the non-linearity.
    dropout : float
        Probability of dropping a hidden unit in training.
    identity : bool
        Start with a zero up projection. ``False`` is the reference code's
        real start, with both projections N(0, 0.02^2).

    Example
    -------
    >>> adapter = Bottleneck(768, reduction_rate=64)
    >>> adapter(torch.rand(2, 10, 768)).abs().max().item()
    0.0
    """

    def __init__(
        self,
        width: int,
        reduction_rate: float = 64,
        activation=nn.GELU,
        dropout: float = 0.0,
        identity: bool = True,
    ):
        super().__init__()
        narrow = bottleneck_width(width, reduction_rate)
        self.down = nn.Linear(width, narrow)
        self.activation = activation()
        self.dropout = nn.Dropout(dropout)
        self.up = nn.Linear(narrow, width)
        start(self.down, self.up, identity=identity)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Adapts [B, T, d]."""
        return self.up(self.dropout(self.activation(self.down(x))))
