"""Metrics of tagging, where a clip may have several labels.

All of them read scores [clips, classes], of any scale that is the same for the
clips of a class, and targets of the same shape, 1 where a clip has a label.
Everything is computed in double precision, ties included, so that the order
of the clips does not matter.
"""

from dataclasses import dataclass

import torch
from speechbrain_petl.training.metrics.counts import (
    check_scores,
    counts_by_threshold,
)


def average_precision(
    scores: torch.Tensor, targets: torch.Tensor
) -> torch.Tensor:
    """Returns the average precision (AP) of each class [classes].

    AP is the sum over distinct scores, from the highest to the lowest, of the
    precision times the gain in recall, without interpolation, as in
    scikit-learn. A class without a positive has an AP of 0, also as there.

    Arguments
    ---------
    scores : torch.Tensor
        Scores [clips, classes], higher where a label is likelier.
    targets : torch.Tensor
        Labels [clips, classes], 0 or 1.

    Returns
    -------
    torch.Tensor
        Double precision, on the CPU.

    Raises
    ------
    ValueError
        See ``check_scores``.

    Example
    -------
    >>> scores = torch.tensor([[0.9, 0.1], [0.8, 0.7], [0.1, 0.6]])
    >>> targets = torch.tensor([[1, 0], [0, 1], [1, 0]])
    >>> average_precision(scores, targets)
    tensor([0.8333, 1.0000], dtype=torch.float64)
    """
    scores, targets = check_scores(scores, targets)
    values = torch.zeros(scores.shape[1], dtype=torch.float64)
    for c in range(len(values)):
        hits, accepted, _ = counts_by_threshold(scores[:, c], targets[:, c])
        if hits[-1]:
            gained = hits.diff(prepend=hits.new_zeros(1)) / hits[-1]
            values[c] = (hits / accepted * gained).sum()
    return values


def roc_auc(scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Returns the area under the ROC curve (AUC) of each class [classes].

    It is the share of pairs of a positive and a negative clip in which the
    positive scores higher; a tie counts half. A class without a positive, or
    without a negative, has none: nan, as in scikit-learn.

    Arguments
    ---------
    scores, targets : torch.Tensor
        As for ``average_precision``.

    Returns
    -------
    torch.Tensor
        Double precision, on the CPU.

    Example
    -------
    >>> scores = torch.tensor([[0.9], [0.8], [0.8], [0.1]])
    >>> roc_auc(scores, torch.tensor([[1], [1], [0], [0]]))
    tensor([0.8750], dtype=torch.float64)
    """
    scores, targets = check_scores(scores, targets)
    values = torch.full((scores.shape[1],), torch.nan, dtype=torch.float64)
    for c in range(len(values)):
        hits, accepted, _ = counts_by_threshold(scores[:, c], targets[:, c])
        alarms = accepted - hits
        if hits[-1] and alarms[-1]:
            start = hits.new_zeros(1)
            area = torch.trapezoid(
                torch.cat([start, hits]), torch.cat([start, alarms])
            )
            values[c] = area / (hits[-1] * alarms[-1])
    return values


def d_prime(auc: float) -> float:
    """Returns the sensitivity index d' = sqrt(2) ppf(AUC).

    ppf is the inverse of the normal distribution's cumulative function. The
    papers take it of the mean AUC; it is not a mean of the classes' d'.

    Arguments
    ---------
    auc : float
        Area under the ROC curve, 0 to 1.

    Returns
    -------
    float
        Infinite where ``auc`` is 1.

    Example
    -------
    >>> d_prime(0.5), round(d_prime(0.975), 4)
    (0.0, 2.7718)
    """
    quantile = torch.special.ndtri(torch.tensor(auc, dtype=torch.float64))
    return 2**0.5 * quantile.item()


@dataclass(frozen=True)
class TaggingScores:
    """What a split's scores amount to.

    Arguments
    ---------
    ap, auc : torch.Tensor
        Of each class, as ``average_precision`` and ``roc_auc`` give them.
    absent : list of int
        Classes without a positive clip, which the means leave out: whatever
        the model says of them, their AP is 0.
    mean_ap : float
        Mean AP (mAP) over the other classes.
    mean_auc : float
        Mean AUC (mAUC) over the classes that have one.
    d_prime : float
        ``d_prime`` of ``mean_auc``.
    """

    ap: torch.Tensor
    auc: torch.Tensor
    absent: list[int]
    mean_ap: float
    mean_auc: float
    d_prime: float


def score_tags(scores: torch.Tensor, targets: torch.Tensor) -> TaggingScores:
    """Computes all metrics of a split.

    The means are scikit-learn's (``average="macro"``) where every class has a
    positive clip. ``ap.mean()`` is scikit-learn's in any case.

    Arguments
    ---------
    scores, targets : torch.Tensor
        As for ``average_precision``.

    Returns
    -------
    TaggingScores

    Raises
    ------
    ValueError
        If no class has a positive clip; see also ``check_scores``.

    Example
    -------
    >>> scores = torch.tensor([[0.9, 0.1, 0.2], [0.1, 0.7, 0.3]])
    >>> found = score_tags(scores, torch.tensor([[1, 0, 0], [0, 1, 0]]))
    >>> found.mean_ap, found.mean_auc, found.absent
    (1.0, 1.0, [2])
    """
    ap, auc = average_precision(scores, targets), roc_auc(scores, targets)
    present = (targets != 0).any(dim=0).cpu()
    if not present.any():
        raise ValueError(
            f"None of the {len(targets)} clips has any of the "
            f"{targets.shape[1]} labels, so there is no mean average "
            "precision: score clips that have labels."
        )
    mean_auc = auc.nanmean().item()
    return TaggingScores(
        ap=ap,
        auc=auc,
        absent=(~present).nonzero().flatten().tolist(),
        mean_ap=ap[present].mean().item(),
        mean_auc=mean_auc,
        d_prime=d_prime(mean_auc),
    )
