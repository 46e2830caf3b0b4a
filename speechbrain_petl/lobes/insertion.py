"""Where and how an adapter meets the sub-layer that it adapts."""

from collections.abc import Callable

import torch
from torch import nn


def width(module: nn.Module) -> int:
    """Size of the vectors that a module reads: its first weight's last axis."""
    return next(module.parameters()).shape[-1]


def split(output) -> tuple[torch.Tensor, tuple]:
    """Separates the hidden states from what else a sub-layer returns.

    Hugging Face's attention returns ``(hidden, weights)``, others a tensor.
    """
    if isinstance(output, tuple):
        return output[0], output[1:]
    return output, ()


def join(hidden: torch.Tensor, rest: tuple):
    """Undoes ``split``."""
    return (hidden, *rest) if rest else hidden


class Parallel(nn.Module):
    """An adapter beside its target: ``f(x) + scale * A(x)``.

    With ``place="after"`` the adapter reads the target's output instead:
    ``f(x) + scale * A(f(x))``. With ``residual`` the adapter has a skip
    connection of its own, ``A(x) + x`` (Table IV of arXiv 2312.03694; in
    parallel this is not an identity at the start).

    Arguments
    ---------
    target : torch.nn.Module
        The sub-layer; its first argument is the hidden states [B, T, d].
    adapter : callable
        Called with d, gives the adapter, a module from [B, T, d] to the same.
    place : str
        ``before`` or ``after``: whether it reads the input or the output.
    residual : bool
        Whether the adapter's input is added to its output.
    scale : float
        Factor of the adapter's output.

    Example
    -------
    >>> from speechbrain_petl.lobes.adapters import Bottleneck
    >>> layer = Parallel(nn.Linear(64, 64), Bottleneck)
    >>> x = torch.rand(2, 5, 64)
    >>> torch.equal(layer(x), layer.target(x))
    True
    """

    def __init__(
        self,
        target: nn.Module,
        adapter: Callable[[int], nn.Module],
        place: str = "before",
        residual: bool = False,
        scale: float = 1.0,
    ):
        super().__init__()
        self.target = target
        self.adapter = adapter(width(target))
        self.place = check_place(place)
        self.residual = residual
        self.scale = scale

    def forward(self, hidden, *args, **kwargs):
        """Runs target and adapter on [B, T, d] and adds them up."""
        output, rest = split(self.target(hidden, *args, **kwargs))
        read = hidden if self.place == "before" else output
        adapted = self.adapter(read)
        if self.residual:
            adapted = adapted + read
        return join(output + self.scale * adapted, rest)


class Sequential(nn.Module):
    """An adapter in line with its target: ``A'(f(x))`` or ``f(A'(x))``.

    ``A'(x) = x + scale * A(x)`` with the inner residual, ``scale * A(x)``
    without: the sub-layer's output is then replaced (Table IV).

    Arguments
    ---------
    target : torch.nn.Module
        The sub-layer; its first argument is the hidden states [B, T, d].
    adapter : callable
        Called with d, gives the adapter, a module from [B, T, d] to the same.
    place : str
        ``after`` or ``before`` the target.
    residual : bool
        Whether the adapter's input is added to its output.
    scale : float
        Factor of the adapter's output.

    Example
    -------
    >>> from speechbrain_petl.lobes.adapters import Bottleneck
    >>> layer = Sequential(nn.Linear(64, 64), Bottleneck)
    >>> x = torch.rand(2, 5, 64)
    >>> torch.equal(layer(x), layer.target(x))
    True
    """

    def __init__(
        self,
        target: nn.Module,
        adapter: Callable[[int], nn.Module],
        place: str = "after",
        residual: bool = True,
        scale: float = 1.0,
    ):
        super().__init__()
        self.target = target
        self.adapter = adapter(width(target))
        self.place = check_place(place)
        self.residual = residual
        self.scale = scale

    def adapt(self, hidden: torch.Tensor) -> torch.Tensor:
        """The adapter with its inner residual, on [B, T, d]."""
        adapted = self.scale * self.adapter(hidden)
        return hidden + adapted if self.residual else adapted

    def forward(self, hidden, *args, **kwargs):
        """Runs target and adapter one after the other on [B, T, d]."""
        if self.place == "before":
            return self.target(self.adapt(hidden), *args, **kwargs)
        output, rest = split(self.target(hidden, *args, **kwargs))
        return join(self.adapt(output), rest)


def check_place(place: str) -> str:
    """Refuses a place that is neither ``before`` nor ``after``."""
    if place not in ("before", "after"):
        raise ValueError(f"place is 'before' or 'after', not '{place}'.")
    return place
