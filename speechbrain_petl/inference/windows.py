"""Windows: how a long clip is cut, and what their outputs say together."""

import math

import torch
from speechbrain_petl.dataio.segments import window_starts
from speechbrain_petl.lobes.front_end import FrontEnd

WINDOWS_AT_ONCE = 16


def cut(waveform: torch.Tensor, front_end: FrontEnd) -> torch.Tensor:
    """Cuts a long waveform into windows that a front end reads whole.

    Arguments
    ---------
    waveform : torch.Tensor
        [samples]
    front_end : FrontEnd
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
    size, total = front_end.clip_samples, len(waveform)
    if total < size + front_end.hop_samples:  # no rest of a whole frame
        return waveform.unsqueeze(0)
    starts = window_starts(total, size)
    return torch.stack([waveform[s : s + size] for s in starts])


def average(posteriors: torch.Tensor) -> torch.Tensor:
    """Averages log posteriors [n, classes] of windows as probabilities.

    Example
    -------
    >>> average(torch.tensor([[0.5, 0.5], [0.1, 0.9]]).log()).exp()
    tensor([0.3000, 0.7000])
    """
    return posteriors.logsumexp(dim=0) - math.log(len(posteriors))


def check_finite(outputs: torch.Tensor, name: str) -> None:
    """Refuses outputs of which any is NaN or infinite.

    Samples of 1e20, say, are finite, but their power is not.

    Arguments
    ---------
    outputs : torch.Tensor
        Embeddings or log posteriors of any shape.
    name : str
        What they are of, for the message.

    Raises
    ------
    ValueError
        If one is not finite.

    Example
    -------
    >>> check_finite(torch.tensor([0.0, float("nan")]), "'a.wav'")
    Traceback (most recent call last):
    ...
    ValueError: The model's output for 'a.wav' is not finite: ...
    """
    if not outputs.isfinite().all():
        raise ValueError(
            f"The model's output for {name} is not finite: its samples are too "
            "large or not finite themselves; scale them to between -1 and 1."
        )


def check_rows(outputs: torch.Tensor) -> None:
    """Like ``check_finite``, for the clips of a batch [B, n]."""
    finite = outputs.isfinite().all(dim=1)
    if not finite.all():
        row = int(finite.int().argmin())
        check_finite(outputs[row], f"clip {row} of the batch")
