"""IPET's adapter: beside the FFN, but reading what its LayerNorm reads.

Kim et al., arXiv 2211.02227:

    h'' = h' + FFN(norm_ffn(h')) + scale * A(h').

The FFN sees only norm_ffn(h'). Two wrappers do it: ``WithInput`` at
``norm_ffn`` hands h' on beside its output, ``ParallelOnInput`` at ``ffn``
takes both.
"""

from typing import Any

import torch
from speechbrain_petl.lobes.insertion import Parallel
from speechbrain_petl.lobes.wrapper import HIDDEN, Need, Wrapper, join, split


class WithInput(Wrapper):
    """A LayerNorm that returns its input too: ``(norm(h), h)``.

    Arguments
    ---------
    target : torch.nn.Module
        LayerNorm, on [B, T, d].
    """

    def needs(self) -> dict[str, Need]:
        """Returns ``ParallelOnInput`` at ``ffn``."""
        return {"ffn": Need(ParallelOnInput, {})}

    def forward(
        self, hidden: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns normalized and plain hidden states, both [B, T, d]."""
        return self.target(hidden), hidden


class ParallelOnInput(Parallel):
    """``Parallel`` whose adapter reads the residual stream.

    Its arguments are those of ``Parallel``; its site is ``ffn``, and it
    needs ``WithInput`` at ``norm_ffn``.

    Example
    -------
    >>> from torch import nn
    >>> from speechbrain_petl.lobes.adapters import Bottleneck
    >>> norm, ffn = WithInput(nn.LayerNorm(64)), nn.Linear(64, 64)
    >>> layer = ParallelOnInput(ffn, Bottleneck, scale=0.1)
    >>> x = torch.rand(2, 5, 64)
    >>> torch.equal(layer(norm(x)), ffn(norm.target(x)))
    True
    """

    PLACES = ("before",)

    def needs(self) -> dict[str, Need]:
        """Returns ``WithInput`` at ``norm_ffn``."""
        return {"norm_ffn": Need(WithInput, {})}

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the target on norm(h) and the adapter on h, both [B, T, d]."""
        normed, stream = HIDDEN.get(args, kwargs)
        args, kwargs = HIDDEN.set(args, kwargs, normed)
        output, rest = split(self.target(*args, **kwargs))
        return join(output + self.adapt(stream), rest)
