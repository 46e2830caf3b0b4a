"""Where and how an adapter meets the sub-layer that it adapts.

With f the sub-layer, n what it reads and A the adapter, the layouts of
Table III of arXiv 2312.03694 are

==========================  ======================  ==========
class                       place                   output
==========================  ======================  ==========
``Parallel`` (default)      ``before``              f(n) + A(n)
``Parallel``                ``after``               f(n) + A(f(n))
``Sequential`` (default)    ``after``               f(n) + A(f(n))
``Sequential``              ``before``              f(n + A(n))
``Sequential``              ``before_legacy``       f(A(n)) + A(n)
==========================  ======================  ==========

at the sites ``mhsa`` and ``ffn``. Parallel after and sequential after are the
same function, in the paper too. A list of wrappers stacks them:
``[Sequential, Parallel]`` at ``ffn`` is the paper's HYDRA,
f(n) + A_par(n) + A_seq(f(n)).
"""

from collections.abc import Callable
from typing import Any

import torch
from speechbrain_petl.lobes.wrapper import HIDDEN, Wrapper, join, split, width
from torch import nn


class Insertion(Wrapper):
    """Base class of a sub-layer with an adapter.

    Arguments
    ---------
    target : torch.nn.Module
        The sub-layer; its first argument is the hidden states [B, T, d].
    adapter : callable
        Function from d to the adapter, a module from [B, T, d] to [B, T, d].
    place : str, optional
        What the adapter reads, one of the class's ``PLACES``; ``PLACE`` by
        default.
    residual : bool, optional
        If True, adds the adapter's input to its output (inner residual);
        ``RESIDUAL`` by default.
    scale : float
        Factor of the adapter's output.

    Raises
    ------
    ValueError
        If the place is not one of the class's.
    """

    PLACES: tuple[str, ...] = ("before", "after")
    PLACE = "before"
    RESIDUAL = False

    def __init__(
        self,
        target: nn.Module,
        adapter: Callable[[int], nn.Module],
        place: str | None = None,
        residual: bool | None = None,
        scale: float = 1.0,
    ):
        super().__init__(target)
        place = self.PLACE if place is None else place
        if place not in self.PLACES:
            raise ValueError(
                f"place is one of {', '.join(self.PLACES)} in "
                f"{type(self).__name__}, not '{place}'."
            )
        self.adapter = adapter(width(target))
        self.place = place
        self.residual = self.RESIDUAL if residual is None else residual
        self.scale = scale
        # The layouts that keep the pretrained function, given an adapter that
        # starts with zero output.
        self.identity_at_start = (
            self.residual == self.RESIDUAL and place != "before_legacy"
        )

    def adapt(self, hidden: torch.Tensor) -> torch.Tensor:
        """Applies the scaled adapter, and its inner residual, to [B, T, d]."""
        adapted = self.scale * self.adapter(hidden)
        return hidden + adapted if self.residual else adapted


class Parallel(Insertion):
    """An adapter beside its target: ``f(n) + scale * A(n)``.

    With ``place="after"`` the adapter reads the target's output instead:
    ``f(n) + scale * A(f(n))``. With ``residual`` the adapter's input is added
    as well (Table IV of arXiv 2312.03694; in parallel this is not an identity
    at the start: it adds the sub-layer's normalized input).

    Arguments
    ---------
    target : torch.nn.Module
        The sub-layer; its first argument is the hidden states [B, T, d].
    adapter : callable
        Function from d to the adapter, a module from [B, T, d] to [B, T, d].
    place : str
        ``before`` or ``after``: the adapter reads the target's input or its
        output.
    residual : bool
        If True, adds the adapter's input to its output (inner residual).
    scale : float
        Factor of the adapter's output.

    Raises
    ------
    ValueError
        If the place is unknown.

    Example
    -------
    >>> from speechbrain_petl.lobes.adapters import Bottleneck
    >>> layer = Parallel(nn.Linear(64, 64), Bottleneck)
    >>> x = torch.rand(2, 5, 64)
    >>> torch.equal(layer(x), layer.target(x))
    True
    """

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Runs target and adapter on [B, T, d] and adds their outputs."""
        output, rest = split(self.target(*args, **kwargs))
        before = self.place == "before"
        read = HIDDEN.get(args, kwargs) if before else output
        return join(output + self.adapt(read), rest)


class Sequential(Insertion):
    """An adapter in line with its target: ``A'(f(n))`` or ``f(A'(n))``.

    ``A'(x) = x + scale * A(x)`` with the inner residual, ``scale * A(x)``
    without, so that the sub-layer's output, or input, is replaced (Table IV of
    arXiv 2312.03694).

    ``place="before_legacy"`` is the reference code's "before" (Table III):
    ``f(scale * A(n)) + scale * A(n)``. The sub-layer never sees n, so that
    the pretrained function is lost at the start; ``residual`` is ignored.

    Arguments
    ---------
    target : torch.nn.Module
        The sub-layer; its first argument is the hidden states [B, T, d].
    adapter : callable
        Function from d to the adapter, a module from [B, T, d] to [B, T, d].
    place : str
        ``after`` or ``before`` the target, or ``before_legacy``.
    residual : bool
        If True, adds the adapter's input to its output (inner residual).
    scale : float
        Factor of the adapter's output.

    Raises
    ------
    ValueError
        If the place is unknown.

    Example
    -------
    >>> from speechbrain_petl.lobes.adapters import Bottleneck
    >>> layer = Sequential(nn.Linear(64, 64), Bottleneck, place="before")
    >>> x = torch.rand(2, 5, 64)
    >>> torch.equal(layer(x), layer.target(x))
    True
    """

    PLACES = ("before", "after", "before_legacy")
    PLACE = "after"
    RESIDUAL = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Runs target and adapter one after the other on [B, T, d]."""
        if self.place == "after":
            output, rest = split(self.target(*args, **kwargs))
            return join(self.adapt(output), rest)
        hidden = HIDDEN.get(args, kwargs)
        if self.place == "before":
            args, kwargs = HIDDEN.set(args, kwargs, self.adapt(hidden))
            return self.target(*args, **kwargs)
        adapted = self.scale * self.adapter(hidden)
        args, kwargs = HIDDEN.set(args, kwargs, adapted)
        output, rest = split(self.target(*args, **kwargs))
        return join(output + adapted, rest)
