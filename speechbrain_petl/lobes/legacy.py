"""A sum of the reference code that no other layout of ours can say.

Where arXiv 2402.00828 puts a mixture of adapters beside the self-attention
only, its code adds the mixture's output twice: after the self-attention and
again after the feed-forward network,

    M   = A(norm_mhsa(h))
    h'  = h + MHSA(norm_mhsa(h)) + M
    h'' = h' + FFN(norm_ffn(h')) + M.

Two wrappers say so: ``ParallelShared`` at ``mhsa`` and ``AddShared`` at
``layer``. The output travels from one to the other as an argument of the
call, so nothing is kept in the modules. Leaving out the second one gives the
single sum that the paper describes.
"""

from speechbrain_petl.lobes.insertion import Parallel, join, split
from torch import nn


class ParallelShared(Parallel):
    """``Parallel`` that also hands its adapter's output to the caller.

    Its arguments are those of ``Parallel``; its place is at ``mhsa``, inside
    an ``AddShared`` at ``layer``.

    Example
    -------
    >>> import torch
    >>> from speechbrain_petl.lobes.adapters import Bottleneck
    >>> shared = []
    >>> layer = ParallelShared(nn.Linear(64, 64), Bottleneck)
    >>> layer(torch.rand(2, 5, 64), shared=shared).shape, len(shared)
    (torch.Size([2, 5, 64]), 1)
    """

    def forward(self, hidden, *args, shared, **kwargs):
        """Runs target and adapter on [B, T, d]; puts the latter into a list."""
        output, rest = split(self.target(hidden, *args, **kwargs))
        adapted = self.adapt(hidden if self.place == "before" else output)
        shared.append(adapted)
        return join(output + adapted, rest)


class AddShared(nn.Module):
    """A layer plus, once more, what the ``ParallelShared`` inside it added.

    Arguments
    ---------
    target : torch.nn.Module
        The layer; it passes its keyword arguments on to its self-attention.

    Raises
    ------
    ValueError
        If nothing inside the layer shares its output.

    Example
    -------
    >>> import torch
    >>> from speechbrain_petl.lobes.adapters import Bottleneck
    >>> layer = AddShared(ParallelShared(nn.Linear(64, 64), Bottleneck))
    >>> layer(torch.rand(2, 5, 64)).shape
    torch.Size([2, 5, 64])
    """

    def __init__(self, target: nn.Module):
        super().__init__()
        self.target = target
        if not any(isinstance(m, ParallelShared) for m in target.modules()):
            raise ValueError(
                "AddShared at 'layer' needs a ParallelShared at 'mhsa': list "
                "'mhsa' first under 'insertions'."
            )

    def forward(self, hidden, *args, **kwargs):
        """Runs the layer on [B, T, d] and adds what was shared."""
        shared = []
        output = self.target(hidden, *args, shared=shared, **kwargs)
        output, rest = split(output)
        return join(output + sum(shared), rest)
