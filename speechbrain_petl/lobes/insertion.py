"""Where and how an adapter meets the sub-layer that it adapts.

With f the sub-layer, n what it reads and A the adapter, the layouts of
Table III of arXiv 2312.03694 are

==========================  ======================  ==========
class                       place                   gives
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

import torch
from torch import nn


def innermost(module: nn.Module) -> nn.Module:
    """The stock module that a stack of wrappers holds."""
    while isinstance(getattr(module, "target", None), nn.Module):
        module = module.target
    return module


def width(module: nn.Module) -> int:
    """Size of the vectors that a module reads: its first weight's last axis."""
    return next(innermost(module).parameters()).shape[-1]


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


class Insertion(nn.Module):
    """A sub-layer with an adapter; says nothing yet about how they meet.

    Arguments
    ---------
    target : torch.nn.Module
        The sub-layer; its first argument is the hidden states [B, T, d].
    adapter : callable
        Called with d, gives the adapter, a module from [B, T, d] to the same.
    place : str, optional
        One of the class's ``PLACES``, ``PLACE`` by default: what the adapter
        reads.
    residual : bool, optional
        Whether the adapter's input is added to its output; ``RESIDUAL`` by
        default.
    scale : float
        Factor of the adapter's output.

    Raises
    ------
    ValueError
        If the place is not one of the class's.
    """

    PLACES = ("before", "after")
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
        super().__init__()
        place = self.PLACE if place is None else place
        if place not in self.PLACES:
            raise ValueError(
                f"place is one of {', '.join(self.PLACES)} in "
                f"{type(self).__name__}, not '{place}'."
            )
        self.target = target
        self.adapter = adapter(width(target))
        self.place = place
        self.residual = self.RESIDUAL if residual is None else residual
        self.scale = scale

    def adapt(self, hidden: torch.Tensor) -> torch.Tensor:
        """The scaled adapter, with its inner residual if any, on [B, T, d]."""
        adapted = self.scale * self.adapter(hidden)
        return hidden + adapted if self.residual else adapted


class Parallel(Insertion):
    """An adapter beside its target: ``f(n) + scale * A(n)``.

    With ``place="after"`` the adapter reads the target's output instead:
    ``f(n) + scale * A(f(n))``. With ``residual`` the adapter's input is added
    as well (Table IV of arXiv 2312.03694; in parallel this is not an identity
    at the start: it adds the sub-layer's normalised input).

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

    def forward(self, hidden, *args, **kwargs):
        """Runs target and adapter on [B, T, d] and adds them up."""
        output, rest = split(self.target(hidden, *args, **kwargs))
        read = hidden if self.place == "before" else output
        return join(output + self.adapt(read), rest)


class Sequential(Insertion):
    """An adapter in line with its target: ``A'(f(n))`` or ``f(A'(n))``.

    ``A'(x) = x + scale * A(x)`` with the inner residual, ``scale * A(x)``
    without: what the sub-layer gives, or reads, is then replaced (Table IV of
    arXiv 2312.03694).

    ``place="before_legacy"`` is the reference code's "before" (Table III):
    ``f(scale * A(n)) + scale * A(n)``. The sub-layer never sees n, so that
    the pretrained function is lost at the start; ``residual`` has no say.

    Arguments
    ---------
    target : torch.nn.Module
        The sub-layer; its first argument is the hidden states [B, T, d].
    adapter : callable
        Called with d, gives the adapter, a module from [B, T, d] to the same.
    place : str
        ``after`` or ``before`` the target, or ``before_legacy``.
    residual : bool
        Whether the adapter's input is added to its output.
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

    def forward(self, hidden, *args, **kwargs):
        """Runs target and adapter one after the other on [B, T, d]."""
        if self.place == "before":
            return self.target(self.adapt(hidden), *args, **kwargs)
        if self.place == "before_legacy":
            adapted = self.scale * self.adapter(hidden)
            output, rest = split(self.target(adapted, *args, **kwargs))
            return join(output + adapted, rest)
        output, rest = split(self.target(hidden, *args, **kwargs))
        return join(self.adapt(output), rest)
