"""Windows: how a long clip is cut for a model of one clip length."""

import torch
from speechbrain_petl.dataio.segments import window_starts
from torch import nn

WINDOWS_AT_ONCE = 16


def window_samples(front_end: nn.Module) -> int:
    """Samples that a front end reads at most."""
    return (front_end.max_length - 1) * front_end.shift + front_end.window_size


def cut(waveform: torch.Tensor, front_end: nn.Module) -> torch.Tensor:
    """Cuts a long waveform into windows that a front end reads whole.

    Arguments
    ---------
    waveform : torch.Tensor
        [samples]
    front_end : ASTFbank
        Says how long a window is.

    Returns
    -------
    torch.Tensor
        Windows [n, samples of one]; the waveform itself if it fits.

    Example
    -------
    >>> from speechbrain_petl.lobes.features import ASTFbank
    >>> fbank = ASTFbank(max_length=100)  # 16240 samples
    >>> (
    ...     cut(torch.zeros(16300), fbank).shape,
    ...     cut(torch.zeros(40000), fbank).shape,
    ... )
    (torch.Size([1, 16300]), torch.Size([3, 16240]))
    """
    size, total = window_samples(front_end), len(waveform)
    if total < size + front_end.shift:  # no rest of a whole frame
        return waveform.unsqueeze(0)
    starts = window_starts(total, size)
    return torch.stack([waveform[s : s + size] for s in starts])
