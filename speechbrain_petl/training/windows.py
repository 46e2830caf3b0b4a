"""Evaluation by windows: a long clip's, and what they say together."""

from collections.abc import Callable
from copy import copy

import torch
from speechbrain_petl.dataio.windows import cut
from speechbrain_petl.lobes.clips import count_samples
from speechbrain_petl.lobes.front_end import FrontEnd
from torch.nn.utils.rnn import pad_sequence

from speechbrain.dataio.batch import PaddedBatch, PaddedData

AT_ONCE = 16  # windows, if a batch has fewer clips


def windows_of(
    wavs: torch.Tensor, lens: torch.Tensor, front_end: FrontEnd
) -> list[torch.Tensor]:
    """Cuts each clip of a batch.

    Arguments
    ---------
    wavs : torch.Tensor
        Waveforms [B, samples].
    lens : torch.Tensor
        Relative lengths [B].
    front_end : FrontEnd
        Says how.

    Returns
    -------
    list of torch.Tensor
        Windows [n, samples of one] of each clip.
    """
    n_samples = count_samples(wavs, lens).tolist()
    return [cut(wav[:n], front_end) for wav, n in zip(wavs, n_samples)]


def pad_windows(
    clips: list[torch.Tensor],
) -> tuple[torch.Tensor, torch.Tensor]:
    """Joins the windows of clips in one batch.

    Arguments
    ---------
    clips : list of torch.Tensor
        Windows [n, samples of one] of each clip.

    Returns
    -------
    wavs, lens : torch.Tensor
        Waveforms [windows, samples], and their relative lengths [windows].

    Example
    -------
    >>> wavs, lens = pad_windows([torch.ones(2, 4), torch.ones(1, 3)])
    >>> wavs.shape, lens
    (torch.Size([3, 4]), tensor([1.0000, 1.0000, 0.7500]))
    """
    windows = [window for clip in clips for window in clip]
    wavs = pad_sequence(windows, batch_first=True)
    sizes = torch.tensor([len(window) for window in windows])
    return wavs, (sizes / wavs.shape[1]).to(wavs.device)


def by_windows(
    batch: PaddedBatch,
    front_end: FrontEnd,
    forward: Callable[[PaddedBatch], torch.Tensor],
    join: Callable[[torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """Predicts each clip of a batch from its windows.

    Arguments
    ---------
    batch : PaddedBatch
        Batch with ``sig``, waveforms [B, samples], or with ``states``, those
        that were stored of the windows [B, n, ...].
    front_end : FrontEnd
        Says how many windows a clip has.
    forward : callable
        Gives the predictions [B, ...] of a batch.
    join : callable
        Gives a clip's prediction [...] of those of its windows [n, ...].

    Returns
    -------
    torch.Tensor
        Predictions [B, ...]; those of ``forward``, if no clip is long.
    """
    if hasattr(batch, "states"):
        name, (states, lens) = "states", batch.states
        numbers = count_samples(states[:, :, 0], lens).tolist()
        parts = [clip[:n] for clip, n in zip(states, numbers)]
        data = torch.cat(parts)
        lens = torch.ones(len(data))
    else:
        name = "sig"
        parts = windows_of(*batch.sig, front_end)
        numbers = [len(part) for part in parts]
        if max(numbers) == 1:
            return forward(batch)
        data, lens = pad_windows(parts)
    found = []
    at_once = max(len(parts), AT_ONCE)
    for some, some_lens in zip(data.split(at_once), lens.split(at_once)):
        one = copy(batch)
        setattr(one, name, PaddedData(some, some_lens))
        found.append(forward(one))
    outputs = torch.cat(found)
    if max(numbers) == 1:
        return outputs
    return torch.stack(
        [
            join(clip.float()) if len(clip) > 1 else clip[0].float()
            for clip in outputs.split(numbers)
        ]
    )
