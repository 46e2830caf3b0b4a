"""IPET's adapter: beside the FFN, but reading what its LayerNorm reads.

Kim et al., arXiv 2211.02227:

    h'' = h' + FFN(norm_ffn(h')) + scale * A(h').

The FFN sees only norm_ffn(h'). Two wrappers say it: ``WithInput`` at
``norm_ffn`` hands h' on beside its output, ``ParallelOnInput`` at ``ffn``
takes both.
"""

from speechbrain_petl.lobes.insertion import Parallel, join, split
from torch import nn


class WithInput(nn.Module):
    """A LayerNorm that gives its input too: ``(norm(h), h)``.

    Arguments
    ---------
    target : torch.nn.Module
        The LayerNorm, on [B, T, d].
    """

    def __init__(self, target: nn.Module):
        super().__init__()
        self.target = target

    def needs(self) -> dict:
        """``ParallelOnInput`` at ``ffn``."""
        return {"ffn": (ParallelOnInput, {})}

    def forward(self, hidden):
        """The normalised and the plain hidden states, both [B, T, d]."""
        return self.target(hidden), hidden


class ParallelOnInput(Parallel):
    """``Parallel`` whose adapter reads the residual stream.

    Its arguments are those of ``Parallel``; its site is ``ffn``, and it
    needs ``WithInput`` at ``norm_ffn``.

    Example
    -------
    >>> import torch
    >>> from speechbrain_petl.lobes.adapters import Bottleneck
    >>> norm, ffn = WithInput(nn.LayerNorm(64)), nn.Linear(64, 64)
    >>> layer = ParallelOnInput(ffn, Bottleneck, scale=0.1)
    >>> x = torch.rand(2, 5, 64)
    >>> torch.equal(layer(norm(x)), ffn(norm.target(x)))
    True
    """

    PLACES = ("before",)

    def needs(self) -> dict:
        """``WithInput`` at ``norm_ffn``."""
        return {"norm_ffn": (WithInput, {})}

    def forward(self, hidden, *args, **kwargs):
        """Runs the target on norm(h) and the adapter on h, both [B, T, d]."""
        normed, stream = hidden
        output, rest = split(self.target(normed, *args, **kwargs))
        return join(output + self.adapt(stream), rest)
