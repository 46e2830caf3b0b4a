"""Conformer adapter: a convolution module in the place of a bottleneck."""

import torch
from speechbrain_petl.lobes.adapters import bottleneck_width, same_conv
from speechbrain_petl.lobes.batch_norm import BatchNorm
from torch import nn


class Conformer(nn.Module):
    """The Conformer's convolution module, narrowed to an adapter.

    ``up(silu(batch_norm(depthwise(glu(down(layer_norm(x)))))))`` with
    ``down`` from d to 2 r, halved by the gated linear unit, and a depthwise
    convolution along the token sequence: Gulati et al., arXiv 2005.08100, as
    an adapter in later versions of arXiv 2312.03694.

    The reference code overwrites the LayerNorm's output with its input:
    ``layer_norm=False``; then the ``2 d`` parameters of each module that it
    counts do not exist. In training, BatchNorm uses the batch's statistics,
    those of all processes together, and updates its running ones, which
    are saved.

    Arguments
    ---------
    width : int
        Size d of input and output.
    reduction_rate : float
        Ratio of d to the number of channels, ``r = round(d / reduction_rate)``.
    kernel_size : int
        Width of the convolution in tokens, an odd number; 31 or 5 in the
        papers.
    layer_norm : bool
        If False, leaves out the LayerNorm, as the reference code.
    identity : bool
        If True, the last projection starts at zero. ``False`` is the reference
        code's start, PyTorch's own: its output is far from zero, and the
        pretrained function is lost at the start.

    Raises
    ------
    ValueError
        If the reduction rate leaves no unit or the kernel size is even.

    Example
    -------
    >>> adapter = Conformer(768, reduction_rate=96)
    >>> adapter(torch.rand(2, 10, 768)).abs().max().item()
    0.0
    >>> sum(p.numel() for p in adapter.parameters()) * 12
    252288
    """

    def __init__(
        self,
        width: int,
        reduction_rate: float = 64,
        kernel_size: int = 31,
        layer_norm: bool = True,
        identity: bool = True,
    ):
        super().__init__()
        narrow = bottleneck_width(width, reduction_rate)
        self.norm = nn.LayerNorm(width) if layer_norm else nn.Identity()
        self.down = nn.Linear(width, 2 * narrow)
        self.depthwise = same_conv(narrow, narrow, kernel_size, groups=narrow)
        self.batch_norm = BatchNorm(narrow)
        self.up = nn.Linear(narrow, width)
        if identity:
            nn.init.zeros_(self.up.weight)
            nn.init.zeros_(self.up.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Adapts [B, T, d]."""
        x = nn.functional.glu(self.down(self.norm(x)), dim=-1)
        x = self.batch_norm(self.depthwise(x.transpose(1, 2)))
        return self.up(nn.functional.silu(x).transpose(1, 2))
