"""Adapters: small networks from [B, T, d] to [B, T, d]."""

from collections.abc import Callable

import torch
from torch import nn


def bottleneck_width(width: int, reduction_rate: float) -> int:
    """Returns the width ``r = round(d / reduction_rate)`` of a bottleneck.

    Python's rounding (half to even), as in the papers' counts.

    Raises
    ------
    ValueError
        If the rate is not positive or leaves no unit.

    Example
    -------
    >>> bottleneck_width(768, 64)
    12
    """
    narrow = round(width / reduction_rate) if reduction_rate > 0 else 0
    if narrow < 1:
        raise ValueError(
            f"reduction_rate {reduction_rate} leaves no unit of {width}: "
            f"choose a number above 0 and at most {width}."
        )
    return narrow


def start(
    down: nn.Linear, up: nn.Linear, std: float = 0.02, identity: bool = True
) -> None:
    """Initializes an adapter's first and last projection.

    ``down ~ N(0, std^2)``; ``up`` is zero, so that the adapter adds nothing
    at step 0 and every tensor trains after one update. With
    ``identity=False`` both are random, which is what the reference code
    really trained from: its zeros were overwritten on loading.

    Example
    -------
    >>> down, up = nn.Linear(48, 6), nn.Linear(6, 48)
    >>> start(down, up)
    >>> up.weight.abs().max().item(), down.bias.abs().max().item()
    (0.0, 0.0)
    """
    nn.init.trunc_normal_(down.weight, std=std)
    if identity:
        nn.init.zeros_(up.weight)
    else:
        nn.init.trunc_normal_(up.weight, std=std)
    for layer in (down, up):
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


class Bottleneck(nn.Module):
    """Bottleneck adapter: ``up(dropout(activation(down(x))))``.

    Houlsby et al., arXiv 1902.00751; as in arXiv 2312.03694 with GELU.

    Arguments
    ---------
    width : int
        Size d of input and output.
    reduction_rate : float
        Ratio of d to the bottleneck's width, ``round(d / reduction_rate)``.
    activation : callable
        Function that makes the non-linearity.
    dropout : float
        Dropout rate of the hidden units.
    identity : bool
        If True, the up projection starts at zero. ``False`` is the reference
        code's real start, with both projections N(0, 0.02^2).

    Raises
    ------
    ValueError
        If the reduction rate leaves no unit.

    Example
    -------
    >>> adapter = Bottleneck(768, reduction_rate=64)
    >>> adapter(torch.rand(2, 10, 768)).abs().max().item()
    0.0
    """

    def __init__(
        self,
        width: int,
        reduction_rate: float = 64,
        activation: Callable[[], nn.Module] = nn.GELU,
        dropout: float = 0.0,
        identity: bool = True,
    ):
        super().__init__()
        narrow = bottleneck_width(width, reduction_rate)
        self.down = nn.Linear(width, narrow)
        self.activation = activation()
        self.dropout = nn.Dropout(dropout)
        self.up = nn.Linear(narrow, width)
        start(self.down, self.up, identity=identity)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Adapts [B, T, d]."""
        return self.up(self.dropout(self.activation(self.down(x))))


class Convpass(nn.Module):
    """Convpass adapter: ``up(dropout(act(conv(act(down(x))))))``.

    A bottleneck with a convolution inside, which gives a transformer a local
    bias: Jie and Deng, arXiv 2207.07039 (there 3 x 3 over image patches), here
    3 wide along the token sequence as in arXiv 2312.03694. ``act`` is QuickGELU, ``x * sigmoid(1.702 x)``.

    The reference code computes the convolution and drops the result. That is
    ``convolution=False``: the activation is applied twice and there is no
    convolution, so the trainable count is smaller than the papers' by the
    unused ``3 r^2 + r`` parameters of each module that they count.

    Arguments
    ---------
    width : int
        Size d of input and output.
    reduction_rate : float
        Ratio of d to the bottleneck's width, ``r = round(d / reduction_rate)``.
    kernel_size : int
        Width of the convolution in tokens, an odd number.
    dropout : float
        Dropout rate of the hidden units.
    convolution : bool
        If False, leaves out the convolution, as the reference code.
    identity : bool
        If True, the up projection starts at zero. ``False`` is the reference
        code's real start, with both projections N(0, 0.02^2).

    Raises
    ------
    ValueError
        If the reduction rate leaves no unit or the kernel size is even.

    Example
    -------
    >>> adapter = Convpass(768, reduction_rate=64)
    >>> adapter(torch.rand(2, 10, 768)).abs().max().item()
    0.0
    """

    def __init__(
        self,
        width: int,
        reduction_rate: float = 64,
        kernel_size: int = 3,
        dropout: float = 0.1,
        convolution: bool = True,
        identity: bool = True,
    ):
        super().__init__()
        narrow = bottleneck_width(width, reduction_rate)
        self.down = nn.Linear(width, narrow)
        if convolution:
            self.conv = same_conv(narrow, narrow, kernel_size)
            nn.init.xavier_uniform_(self.conv.weight)
            nn.init.zeros_(self.conv.get_parameter("bias"))
        self.convolution = convolution
        self.dropout = nn.Dropout(dropout)
        self.up = nn.Linear(narrow, width)
        start(self.down, self.up, identity=identity)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Adapts [B, T, d]."""
        x = quick_gelu(self.down(x))
        if self.convolution:
            x = self.conv(x.transpose(1, 2)).transpose(1, 2)
        return self.up(self.dropout(quick_gelu(x)))


def quick_gelu(x: torch.Tensor) -> torch.Tensor:
    """Computes ``x * sigmoid(1.702 x)``, a cheap approximation of GELU.

    Example
    -------
    >>> quick_gelu(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1542,  0.0000,  0.8458])
    """
    return x * torch.sigmoid(1.702 * x)


def same_conv(
    n_in: int, n_out: int, kernel_size: int, groups: int = 1
) -> nn.Conv1d:
    """Makes a convolution over [B, n_in, T] that keeps the length.

    Raises
    ------
    ValueError
        If the kernel size is not odd.

    Example
    -------
    >>> same_conv(6, 6, 3)(torch.rand(2, 6, 10)).shape
    torch.Size([2, 6, 10])
    """
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(
            f"kernel_size is {kernel_size}, but only an odd one has a token "
            "in its middle."
        )
    return nn.Conv1d(
        n_in, n_out, kernel_size, padding=kernel_size // 2, groups=groups
    )
