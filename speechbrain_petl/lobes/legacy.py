"""A sum of the reference code that no other layout expresses.

Where arXiv 2402.00828 puts a mixture of adapters beside the self-attention
only, its code adds the mixture's output twice: after the self-attention and
again after the feed-forward network,

    M   = A(norm_mhsa(h))
    h'  = h + MHSA(norm_mhsa(h)) + M
    h'' = h' + FFN(norm_ffn(h')) + M.

Two wrappers do so: ``ParallelShared`` at ``mhsa`` and ``AddShared`` at
``layer``. The output travels from one to the other as an argument of the
call, so nothing is kept in the modules. Leaving out the second one gives the
single sum that the paper describes.
"""

from typing import Any

import torch
from speechbrain_petl.lobes.insertion import Parallel
from speechbrain_petl.lobes.wrapper import HIDDEN, Wrapper, join, split
from torch import nn


class ParallelShared(Parallel):
    """``Parallel`` that also hands its adapter's output to the caller.

    Its arguments are those of ``Parallel``; its place is at ``mhsa``, inside
    an ``AddShared`` at ``layer``.

    Example
    -------
    >>> from torch import nn
    >>> from speechbrain_petl.lobes.adapters import Bottleneck
    >>> shared = []
    >>> layer = ParallelShared(nn.Linear(64, 64), Bottleneck)
    >>> layer(torch.rand(2, 5, 64), shared=shared).shape, len(shared)
    (torch.Size([2, 5, 64]), 1)
    """

    def forward(
        self, *args: Any, shared: list[torch.Tensor], **kwargs: Any
    ) -> Any:
        """Runs target and adapter on [B, T, d].

        Appends the adapter's output to the list ``shared``.
        """
        output, rest = split(self.target(*args, **kwargs))
        before = self.place == "before"
        adapted = self.adapt(HIDDEN.get(args, kwargs) if before else output)
        shared.append(adapted)
        return join(output + adapted, rest)


class AddShared(Wrapper):
    """Adds what the ``ParallelShared`` inside a layer added once more.

    Arguments
    ---------
    target : torch.nn.Module
        Layer that passes its keyword arguments on to its self-attention.

    Raises
    ------
    ValueError
        If nothing inside the layer shares its output.

    Example
    -------
    >>> from torch import nn
    >>> from speechbrain_petl.lobes.adapters import Bottleneck
    >>> layer = AddShared(ParallelShared(nn.Linear(64, 64), Bottleneck))
    >>> layer(torch.rand(2, 5, 64)).shape
    torch.Size([2, 5, 64])
    """

    def __init__(self, target: nn.Module):
        super().__init__(target)
        if not any(isinstance(m, ParallelShared) for m in target.modules()):
            raise ValueError(
                "AddShared at 'layer' needs a ParallelShared at 'mhsa': list "
                "'mhsa' first under 'insertions'."
            )

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the layer on [B, T, d] and adds what was shared."""
        shared: list[torch.Tensor] = []
        output = self.target(*args, shared=shared, **kwargs)
        output, rest = split(output)
        return join(output + sum(shared), rest)
