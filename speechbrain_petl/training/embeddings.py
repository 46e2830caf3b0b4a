"""Embeddings of utterances by windows, and scores of pairs of utterances."""

from collections.abc import Callable
from functools import partial

import torch
from speechbrain_petl.lobes.front_end import FrontEnd
from speechbrain_petl.training.metrics.scoring import (
    cosine_scores,
    segment_scores,
)
from speechbrain_petl.training.windows import AT_ONCE, pad_windows, windows_of
from torch.nn.functional import normalize


def embed_utterances(
    wavs: torch.Tensor,
    lens: torch.Tensor | None,
    front_end: FrontEnd,
    embed: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """Computes the embeddings of the windows of utterances.

    Arguments
    ---------
    wavs : torch.Tensor
        Waveforms [B, samples], zero-padded to the longest.
    lens : torch.Tensor, optional
        Relative lengths [B]; all whole by default.
    front_end : FrontEnd
        Front end, which says how long a window is and how many there are.
    embed : callable
        Gives embeddings [n, d] of features [n, ...] and relative lengths [n].

    Returns
    -------
    torch.Tensor
        Embeddings [B, windows, d] in single precision. A window that covers
        a short utterance counts for all of its windows. Where as few as cover
        an utterance are read, their embeddings of length 1 are averaged,
        since utterances differ in their number: [B, 1, d].
    """
    parts = windows_of(wavs, lens, front_end)
    data, shares = pad_windows(parts)
    found = [
        embed(front_end(some, some_shares), some_shares).float()
        for some, some_shares in zip(data.split(AT_ONCE), shares.split(AT_ONCE))
    ]
    clips = torch.cat(found).split([len(part) for part in parts])
    if front_end.windows is None:
        return torch.stack([mean_of_windows(clip) for clip in clips])[:, None]
    return torch.stack([clip.expand(front_end.windows, -1) for clip in clips])


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


#: Functions that score trials, by name. They take embeddings
#: [utterances, windows, d] and the rows of both utterances of each trial.
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
        Number of windows of an utterance; by default as few as cover it.
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
    if scoring != "cosine" and windows is None:
        raise ValueError(
            f"scoring: {scoring} compares windows, of which all utterances "
            "need the same number: give windows, such as 5."
        )
    if norm not in (None, "z", "t", "s"):
        raise ValueError(f"score_norm is null, z, t or s, not {norm!r}.")
    if norm and scoring != "cosine":
        raise ValueError(f"score_norm is for scoring: cosine, not {scoring}.")
