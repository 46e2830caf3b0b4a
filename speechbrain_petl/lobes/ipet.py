"""IPET's adapter: beside the FFN, but reading what the LayerNorm before it reads.

Kim et al., arXiv 2211.02227. With h' the hidden states after the
self-attention, the layers of AST (norms before the sub-layers) become

    h'' = h' + FFN(norm_ffn(h')) + scale * A(h'),

and those of wav2vec 2.0 (norms after the sub-layers), with z = norm_mhsa(h'),

    h'' = norm_ffn(z + FFN(z) + scale * A(h')).

The FFN sees only what its LayerNorm gives. Two wrappers do it: ``Tap`` at
``norm_before_ffn``, which is the one or the other LayerNorm, keeps h' for
``ParallelOnInput`` at ``ffn``. The authors' code adds h' + scale * A(h') on
wav2vec 2.0: ``residual: True``.
"""

from typing import Any

import torch
from speechbrain_petl.lobes.insertion import Parallel
from speechbrain_petl.lobes.sites import site_info
from speechbrain_petl.lobes.wrapper import (
    HIDDEN,
    Need,
    Wrapper,
    innermost,
    join,
    split,
)


class Tap(Wrapper):
    """Keeps its target's input for a later wrapper of the same layer.

    The input travels as an attribute of the output, so that nothing stays in
    the module: recomputation by gradient checkpointing and calls from several
    threads are right.

    Arguments
    ---------
    target : torch.nn.Module
        Module whose output ``ParallelOnInput`` reads, such as a LayerNorm.

    Example
    -------
    >>> from torch import nn
    >>> x = torch.rand(2, 5, 64)
    >>> tapped(Tap(nn.LayerNorm(64))(x)) is x
    True
    """

    def needs(self) -> dict[str, Need]:
        """Returns ``ParallelOnInput`` at ``ffn``."""
        return {"ffn": Need(ParallelOnInput, {})}

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Returns the target's output for [B, T, d]."""
        output = self.target(hidden)
        output.tapped = hidden
        return output


def tapped(output: torch.Tensor) -> torch.Tensor:
    """Returns what a ``Tap`` has kept beside an output.

    Raises
    ------
    ValueError
        If nothing was kept, since another wrapper is in between.
    """
    hidden = getattr(output, "tapped", None)
    if hidden is None:
        raise ValueError(
            "ParallelOnInput did not get what Tap gave: let Tap be the last "
            "wrapper at norm_before_ffn, and ParallelOnInput the last at ffn."
        )
    return hidden


class ParallelOnInput(Parallel):
    """``Parallel`` whose adapter reads the residual stream.

    Its arguments are those of ``Parallel``; its site is ``ffn``, and it
    needs ``Tap`` at ``norm_before_ffn``.

    Example
    -------
    >>> from torch import nn
    >>> from speechbrain_petl.lobes.adapters import Bottleneck
    >>> norm, ffn = Tap(nn.LayerNorm(64)), nn.Linear(64, 64)
    >>> layer = ParallelOnInput(ffn, Bottleneck, scale=0.1)
    >>> x = torch.rand(2, 5, 64)
    >>> torch.equal(layer(norm(x)), ffn(norm.target(x)))
    True
    """

    PLACES = ("before",)

    def needs(self) -> dict[str, Need]:
        """Returns ``Tap`` at the LayerNorm before the FFN."""
        info = site_info(innermost(self.target))
        after = info is not None and info.norm == "after"
        return {"norm_mhsa" if after else "norm_ffn": Need(Tap, {})}

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the target on norm(h) and the adapter on h, both [B, T, d]."""
        stream = tapped(HIDDEN.get(args, kwargs))
        output, rest = split(self.target(*args, **kwargs))
        return join(output + self.adapt(stream), rest)
