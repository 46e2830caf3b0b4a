"""Embeddings of utterances by windows, and scores of pairs of utterances."""

from collections.abc import Callable
from functools import partial

import torch
from speechbrain_petl.dataio.segments import window_starts
from speechbrain_petl.lobes.clips import count_samples
from speechbrain_petl.lobes.front_end import FrontEnd
from speechbrain_petl.training.metrics.scoring import (
    cosine_scores,
    segment_scores,
)
from torch.nn.functional import normalize, pad

WINDOWS_AT_ONCE = 32


def starts(total: int, size: int, windows: int | None) -> list[int]:
    """Returns where the windows of an utterance begin.

    Arguments
    ---------
    total, size : int
        Lengths of the utterance and of a window in samples.
    windows : int, optional
        Their number, spread evenly from the first sample to the last; by
        default as few as cover the utterance.

    Returns
    -------
    list of int
        One window if the utterance is shorter.

    Example
    -------
    >>> starts(100, 40, 3), starts(100, 80, None), starts(30, 40, 5)
    ([0, 30, 60], [0, 20], [0])
    """
    if total <= size or windows is None:
        return window_starts(total, size)
    steps = max(windows - 1, 1)
    return [round(k * (total - size) / steps) for k in range(windows)]


def embed_utterances(
    wavs: torch.Tensor,
    lens: torch.Tensor | None,
    windows: int | None,
    front_end: FrontEnd,
    embed: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """Computes the embeddings of windows of utterances.

    Arguments
    ---------
    wavs : torch.Tensor
        Waveforms [B, samples], zero-padded to the longest.
    lens : torch.Tensor, optional
        Relative lengths [B]; all whole by default.
    windows : int, optional
        Number of windows of an utterance. By default as few as cover it,
        whose embeddings of length 1 are averaged, since utterances then have
        different numbers of them.
    front_end : FrontEnd
        Front end, which says how long a window is.
    embed : callable
        Gives embeddings [n, d] of features [n, ...] and relative lengths [n].

    Returns
    -------
    torch.Tensor
        Embeddings [B, windows, d] in single precision; [B, 1, d] by default.
        A window that covers a short utterance counts for all of its windows.
    """
    size = front_end.clip_samples
    parts, owners = [], []
    for row, total in enumerate(count_samples(wavs, lens).tolist()):
        for start in starts(total, size, windows):
            parts.append(wavs[row, start : min(start + size, total)])
            owners.append(row)
    found = []
    for first in range(0, len(parts), WINDOWS_AT_ONCE):
        some = parts[first : first + WINDOWS_AT_ONCE]
        longest = max(map(len, some))
        batch = torch.stack([pad(one, (0, longest - len(one))) for one in some])
        shares = torch.tensor([len(one) / longest for one in some])
        shares = shares.to(wavs.device)
        found.append(embed(front_end(batch, shares), shares).float())
    embeddings, rows = torch.cat(found), torch.tensor(owners)
    groups = [embeddings[rows == row] for row in range(len(wavs))]
    if windows is None:
        return torch.stack([mean_of_windows(group) for group in groups])[
            :, None
        ]
    return torch.stack([group.expand(windows, -1) for group in groups])


def mean_of_windows(embeddings: torch.Tensor) -> torch.Tensor:
    """Averages embeddings [..., windows, d] of length 1 to [..., d].

    Example
    -------
    >>> mean_of_windows(torch.tensor([[2.0, 0.0], [0.0, 3.0]]))
    tensor([0.5000, 0.5000])
    """
    return normalize(embeddings, dim=-1).mean(dim=-2)


def _cosine(embeddings, first, second):
    """Scores trials by the cosine of their utterances' mean embeddings."""
    return cosine_scores(mean_of_windows(embeddings), first, second)


#: Scores of trials, by name: from embeddings [utterances, windows, d] and the
#: rows of both utterances of each trial.
SCORINGS: dict[str, Callable[..., torch.Tensor]] = {
    "cosine": _cosine,
    "segments": segment_scores,
    "segments_legacy_axis": partial(segment_scores, legacy_axis=True),
}


def check_scoring(scoring: str, windows: int | None, norm: str | None) -> None:
    """Refuses options of scoring that do not go together.

    Arguments
    ---------
    scoring : str
        A key of ``SCORINGS``.
    windows : int, optional
        Number of windows of an utterance.
    norm : str, optional
        Kind of score normalization.

    Raises
    ------
    ValueError
        If one is unknown, or they do not go together.

    Example
    -------
    >>> check_scoring("segments", 5, "s")
    Traceback (most recent call last):
    ...
    ValueError: score_norm is for scoring: cosine, not segments.
    """
    if scoring not in SCORINGS:
        raise ValueError(
            f"scoring is one of {', '.join(SCORINGS)}, not {scoring!r}."
        )
    if windows is not None and (type(windows) is not int or windows < 1):
        raise ValueError(
            f"windows is {windows!r}: give a number of windows an utterance, "
            "or null for as many as cover it."
        )
    if scoring != "cosine" and windows is None:
        raise ValueError(
            f"scoring: {scoring} compares windows, of which all utterances "
            "need the same number: give windows, such as 5."
        )
    if norm not in (None, "z", "t", "s"):
        raise ValueError(f"score_norm is null, z, t or s, not {norm!r}.")
    if norm and scoring != "cosine":
        raise ValueError(f"score_norm is for scoring: cosine, not {scoring}.")
