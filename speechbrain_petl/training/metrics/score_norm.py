"""Score normalization of trials with a cohort.

A score says more when it is compared with the scores that the same utterance
has with speakers who are certainly others: the cohort, such as the mean
embeddings of the training speakers. As in ``speechbrain``'s verification
recipe, z-norm takes the statistics of a trial's first utterance, t-norm of its
second, s-norm the mean of both. Adaptive s-norm (as-norm) keeps only the
``top`` highest cohort scores of each utterance.

Statistics are computed once an utterance, in blocks, and not once a trial:
memory stays bounded whatever the number of trials.
"""

from typing import NamedTuple

import torch
from torch.nn.functional import normalize

BLOCK = 4096  # utterances that are scored at once


class CohortStatistics(NamedTuple):
    """Mean and standard deviation of each utterance's cohort scores.

    Arguments
    ---------
    mean, std : torch.Tensor
        Of each utterance [utterances].
    """

    mean: torch.Tensor
    std: torch.Tensor


def cohort_statistics(
    embeddings: torch.Tensor, cohort: torch.Tensor, top: int | None = None
) -> CohortStatistics:
    """Scores each utterance against the cohort, and sums the scores up.

    Arguments
    ---------
    embeddings : torch.Tensor
        One embedding an utterance [utterances, d].
    cohort : torch.Tensor
        Embeddings of other speakers [cohort, d].
    top : int, optional
        How many of an utterance's highest cohort scores to keep: adaptive
        normalization. By default all.

    Returns
    -------
    CohortStatistics
        The standard deviation is unbiased.

    Raises
    ------
    ValueError
        If fewer than two cohort scores would be kept, more than there are,
        or all that are kept are equal.

    Example
    -------
    >>> cohort = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    >>> cohort_statistics(torch.tensor([[1.0, 0.0]]), cohort, top=2)
    CohortStatistics(mean=tensor([0.5000]), std=tensor([0.7071]))
    """
    kept = len(cohort) if top is None else top
    if not 2 <= kept <= len(cohort):
        raise ValueError(
            f"{kept} cohort scores should be kept of the {len(cohort)} that "
            "there are: give a cohort of two or more, and a top from 2 to "
            "its size."
        )
    unit = normalize(cohort, dim=1).T
    means, stds = [], []
    for block in normalize(embeddings, dim=1).split(BLOCK):
        scores = (block @ unit).topk(kept, dim=1).values
        means.append(scores.mean(dim=1))
        stds.append(scores.std(dim=1))
    statistics = CohortStatistics(torch.cat(means), torch.cat(stds))
    if not (statistics.std > 0).all():
        raise ValueError(
            f"{int((statistics.std <= 0).sum())} of {len(embeddings)} "
            "utterances have the same score with all of the cohort, which "
            "leaves nothing to normalize by: give another cohort."
        )
    return statistics


def normalize_scores(
    scores: torch.Tensor,
    first: torch.Tensor,
    second: torch.Tensor,
    statistics: CohortStatistics,
    kind: str = "s",
) -> torch.Tensor:
    """Normalizes the scores of trials.

    Arguments
    ---------
    scores : torch.Tensor
        Scores of the trials [trials].
    first, second : torch.Tensor
        Rows of the two utterances of each trial in the statistics [trials].
    statistics : CohortStatistics
        Of all utterances. Those of few highest cohort scores make s-norm
        adaptive.
    kind : str
        ``z``, ``t`` or ``s``.

    Returns
    -------
    torch.Tensor
        Normalized scores [trials].

    Raises
    ------
    ValueError
        If the kind is unknown.

    Example
    -------
    >>> statistics = CohortStatistics(
    ...     torch.tensor([0.0, 0.2]), torch.tensor([0.1, 0.2])
    ... )
    >>> rows = torch.tensor([0]), torch.tensor([1])
    >>> normalize_scores(torch.tensor([0.4]), *rows, statistics)
    tensor([2.5000])
    """
    sides = {"z": (first,), "t": (second,), "s": (first, second)}
    if kind not in sides:
        raise ValueError(
            f"kind is {kind!r}: give one of {', '.join(sides)}; adaptive "
            "s-norm is s with statistics of the top cohort scores."
        )
    mean, std = statistics
    parts = [(scores - mean[rows]) / std[rows] for rows in sides[kind]]
    return torch.stack(parts).mean(dim=0)
