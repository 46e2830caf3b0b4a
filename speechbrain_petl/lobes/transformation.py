"""A module that partitions features and fuses the parts, before any block.

After the abstract of "Light-weight speaker verification with transformation
module" (arXiv 2312.03324), which is all that is public of it: the input of a
block is split into subsets of channels, each is updated by what the others
have in common with it, and each goes through the block by itself; the
operations are convolution, pooling, mean, concatenation, normalization and
element-wise summation. The equations here are ours, and no figure of that
paper is claimed.

Of G equal subsets x_i of the channels, with p_i their means over time (and
frequency) and m_i the mean of p_j over j != i::

    y_i = x_i + Norm(Conv1x1([x_i ; m_i]))

where convolution and normalization are shared by the subsets, and the gain of
the normalization starts at 0: the module is an identity then. Each y_i goes
through a copy of the block that is G times narrower, and the outputs are
concatenated.
"""

import copy
from collections.abc import Iterable

import torch
from speechbrain_petl.lobes.sites import setattr_module
from speechbrain_petl.lobes.wrapper import Wrapper
from torch import nn

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)


class TransformationModule(nn.Module):
    """Updates each subset of the channels by what the others are on average.

    Arguments
    ---------
    channels : int
        Number C of channels.
    groups : int
        Number G of subsets.
    dimensions : int
        1 for features [B, C, T], 2 for [B, C, F, T].

    Raises
    ------
    ValueError
        If there are fewer than two subsets, or they would not be equal.

    Example
    -------
    >>> module = TransformationModule(8, 2)
    >>> x = torch.rand(3, 8, 5)
    >>> parts = module(x)
    >>> len(parts), torch.equal(torch.cat(parts, dim=1), x)
    (2, True)
    """

    def __init__(self, channels: int, groups: int, dimensions: int = 1):
        super().__init__()
        if groups < 2 or channels % groups:
            raise ValueError(
                f"{channels} channels cannot be split into {groups} equal "
                "subsets: give groups of 2 or more that divide them."
            )
        size = channels // groups
        self.groups = groups
        convolution = (nn.Conv1d, nn.Conv2d)[dimensions - 1]
        self.mix = convolution(2 * size, size, kernel_size=1)
        self.norm = (nn.BatchNorm1d, nn.BatchNorm2d)[dimensions - 1](size)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Returns the G updated subsets [B, C / G, ...] of [B, C, ...]."""
        parts = x.chunk(self.groups, dim=1)
        means = [part.flatten(2).mean(dim=2) for part in parts]
        total = torch.stack(means).sum(dim=0)
        updated = []
        for part, mean in zip(parts, means):
            others = (total - mean) / (self.groups - 1)
            others = others.view(*others.shape, *[1] * (part.dim() - 2))
            both = torch.cat([part, others.expand_as(part)], dim=1)
            updated.append(part + self.norm(self.mix(both)))
        return updated


class Partitioned(Wrapper):
    """A block of convolutions, through which subsets of the channels go.

    Arguments
    ---------
    target : torch.nn.Module
        The block: from [B, C, ...] to [B, C', ...]. Blocks as it is, but G
        times narrower and with new weights, stand in its place.
    groups : int
        Number G of subsets.
    shared : bool
        If True, all subsets go through one block; otherwise each through one
        of its own.

    Raises
    ------
    ValueError
        If some number of channels in the block is not divisible by G.

    Example
    -------
    >>> from speechbrain.lobes.models.ECAPA_TDNN import SERes2NetBlock
    >>> block = SERes2NetBlock(64, 64, kernel_size=3, dilation=2)
    >>> Partitioned(block, groups=2)(torch.rand(3, 64, 10)).shape
    torch.Size([3, 64, 10])
    """

    identity_at_start = False

    def __init__(self, target: nn.Module, groups: int, shared: bool = False):
        first = next(m for m in target.modules() if isinstance(m, CONVOLUTIONS))
        super().__init__(narrowed(target, groups))
        self.others = nn.ModuleList(
            narrowed(target, groups) for _ in range(0 if shared else groups - 1)
        )
        self.fuse = TransformationModule(
            first.in_channels, groups, CONVOLUTIONS.index(type(first)) + 1
        )

    def forward(self, x: torch.Tensor, *args, **kwargs) -> torch.Tensor:
        """Returns the outputs of all subsets [B, C', ...] of [B, C, ...]."""
        parts = self.fuse(x)
        blocks = [self.target, *self.others]
        if len(blocks) == 1:
            blocks *= len(parts)
        outputs = [
            block(part, *args, **kwargs) for block, part in zip(blocks, parts)
        ]
        return torch.cat(outputs, dim=1)


def narrowed(block: nn.Module, groups: int) -> nn.Module:
    """Makes a block as another one, with G times fewer channels all through.

    Arguments
    ---------
    block : torch.nn.Module
        Made of convolutions, linear layers and batch normalizations.
    groups : int
        G.

    Returns
    -------
    torch.nn.Module
        Newly initialized, as PyTorch does it.

    Raises
    ------
    ValueError
        If some number of channels is not divisible by G.
    """
    new = copy.deepcopy(block)
    for parent in list(new.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, (*CONVOLUTIONS, nn.Linear, *NORMS)):
                setattr_module(parent, name, _narrow(child, groups))
    return new


NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def _narrow(layer, groups):
    """Makes a layer with G times fewer channels."""

    def fewer(channels):
        """Divides a number of channels."""
        if channels % groups:
            raise ValueError(
                f"A layer has {channels} channels, which {groups} subsets "
                "cannot share: give groups that divide all of a block's."
            )
        return channels // groups

    if isinstance(layer, NORMS):
        return type(layer)(
            fewer(layer.num_features), layer.eps, layer.momentum, layer.affine
        )
    bias = layer.bias is not None
    if isinstance(layer, nn.Linear):
        return nn.Linear(
            fewer(layer.in_features), fewer(layer.out_features), bias
        )
    return type(layer)(
        fewer(layer.in_channels),
        fewer(layer.out_channels),
        layer.kernel_size,
        layer.stride,
        layer.padding,
        layer.dilation,
        layer.groups,
        bias,
        layer.padding_mode,
    )


def partition(
    model: nn.Module,
    blocks: Iterable[str],
    groups: int,
    shared: bool = False,
) -> nn.Module:
    """Puts a transformation module before blocks of a stock model.

    Arguments
    ---------
    model : torch.nn.Module
        Such as SpeechBrain's ``ECAPA_TDNN`` or ``ResNet``; it is changed.
    blocks : iterable of str
        Names of the blocks, such as ``blocks.1``.
    groups : int
        Number of subsets.
    shared : bool
        As of ``Partitioned``.

    Returns
    -------
    torch.nn.Module
        The model.

    Raises
    ------
    ValueError
        If there is no such block, or its channels cannot be split.
    """
    for name in blocks:
        try:
            block = model.get_submodule(name)
        except AttributeError as error:
            raise ValueError(
                f"{type(model).__name__} has no block '{name}': name one of "
                f"{', '.join(n for n, _ in model.named_children())}, or a part "
                "of them such as blocks.1."
            ) from error
        parent, _, child = name.rpartition(".")
        wrapped = Partitioned(block, groups, shared)
        setattr_module(model.get_submodule(parent), child, wrapped)
    return model


class FromScratch(nn.Module):
    """A stock speaker model that trains from scratch, where a backbone stands.

    Arguments
    ---------
    model : torch.nn.Module
        From features [B, T, mels] and relative lengths to embeddings [B, d]
        or [B, 1, d], such as SpeechBrain's ``ECAPA_TDNN``.
    embedding_size : int
        d.

    Example
    -------
    >>> from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN
    >>> model = FromScratch(ECAPA_TDNN(80, channels=[16] * 5), 192)
    >>> model(torch.rand(2, 50, 80), torch.ones(2)).shape
    torch.Size([2, 192])
    """

    def __init__(self, model: nn.Module, embedding_size: int):
        super().__init__()
        self.model = model
        self.embedding_size = embedding_size

    def forward(
        self, feats: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes embeddings [B, d] of features [B, T, mels].

        Features are of one length, filled up by the front end, so that the
        lengths of the waveforms do not count.
        """
        del lens
        return self.model(feats).flatten(1)

    def identity(self) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
        """Returns what identifies it before training: its class alone."""
        return {"class": type(self.model).__name__}, {}

    def count_parameters(self) -> dict[str, int]:
        """Counts what trains, as ``PETLModel`` does: all is the method's."""
        count = sum(p.numel() for p in self.parameters() if p.requires_grad)
        return {"method": count, "norm": 0, "norm_final": 0}
