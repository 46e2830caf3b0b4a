"""Windows: what is read of a long clip, and what their outputs say together.

The test in training, ``predict`` and the bank read the same audio: the front
end, which an artefact records, says how many windows a clip has.
"""

import math

import torch
from speechbrain_petl.dataio.segments import window_starts
from speechbrain_petl.lobes.front_end import FrontEnd


def cut(waveform: torch.Tensor, front_end: FrontEnd) -> torch.Tensor:
    """Cuts a long waveform into windows that a front end reads whole.

    Arguments
    ---------
    waveform : torch.Tensor
        [samples]
    front_end : FrontEnd
        Says how long a window is, and how many there are.

    Returns
    -------
    torch.Tensor
        Windows [n, samples of one]; the waveform itself if it fits, or if the
        front end is to read one window only, which it chooses by itself.

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
    fits = total < size + front_end.hop_samples  # no rest of a whole frame
    if fits or front_end.windows == 1:
        return waveform.unsqueeze(0)
    starts = window_starts(total, size, front_end.windows)
    return torch.stack([waveform[s : s + size] for s in starts])


def average(posteriors: torch.Tensor) -> torch.Tensor:
    """Averages log posteriors [n, classes] of windows as probabilities.

    Example
    -------
    >>> average(torch.tensor([[0.5, 0.5], [0.1, 0.9]]).log()).exp()
    tensor([0.3000, 0.7000])
    """
    return posteriors.logsumexp(dim=0) - math.log(len(posteriors))
