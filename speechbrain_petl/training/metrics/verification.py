"""Metrics of verification: are two utterances of the same speaker?

A trial has a score and is a target trial (the same speaker) or not. It is
accepted where its score is *above* the threshold. Of a threshold t, the miss
rate is the share of target trials with score <= t, and the false alarm rate
the share of the others with score > t.

``speechbrain.utils.metric_stats.EER`` and ``minDCF`` compute the same from
rates at the same thresholds, but compare each score with each threshold: time
that grows with the square of the number of trials and, in ``minDCF``, memory
too (gigabytes from tens of thousands of trials on). Here scores are sorted
once, in O(n log n), and a few vectors are kept. Differences, all stated where
they arise: double instead of single precision, interpolation, normalization,
and accepting all trials, which theirs leaves out.
"""

from typing import NamedTuple

import torch


class ErrorRates(NamedTuple):
    """Error rates at each threshold, thresholds ascending.

    Arguments
    ---------
    thresholds : torch.Tensor
        -inf, then the distinct scores [n].
    miss, false_alarm : torch.Tensor
        Rates [n]; from (0, 1), all accepted, to (1, 0), none.
    """

    thresholds: torch.Tensor
    miss: torch.Tensor
    false_alarm: torch.Tensor


def error_rates(
    positive_scores: torch.Tensor, negative_scores: torch.Tensor
) -> ErrorRates:
    """Computes the miss and false alarm rates at all thresholds.

    Arguments
    ---------
    positive_scores : torch.Tensor
        Scores of the target trials [n_p].
    negative_scores : torch.Tensor
        Scores of the other trials [n_n].

    Returns
    -------
    ErrorRates
        Double precision, on the CPU.

    Raises
    ------
    ValueError
        If there are no trials of a kind, or a score is not finite.

    Example
    -------
    >>> rates = error_rates(torch.tensor([0.6, 0.8]), torch.tensor([0.1, 0.7]))
    >>> rates.miss
    tensor([0.0000, 0.0000, 0.5000, 0.5000, 1.0000], dtype=torch.float64)
    >>> rates.false_alarm
    tensor([1.0000, 0.5000, 0.5000, 0.0000, 0.0000], dtype=torch.float64)
    """
    sides = []
    for kind, scores in (
        ("target", positive_scores),
        ("non-target", negative_scores),
    ):
        scores = scores.detach().double().flatten().cpu()
        if not len(scores):
            raise ValueError(
                f"There are no {kind} trials: error rates need trials of both "
                "kinds."
            )
        bad = int((~scores.isfinite()).sum())
        if bad:
            raise ValueError(
                f"{bad} of {len(scores)} scores of {kind} trials are not "
                "finite: see why the model gives them."
            )
        sides.append(scores.sort().values)
    positive, negative = sides
    distinct = torch.cat(sides).unique()
    missed = torch.searchsorted(positive, distinct, right=True).double()
    rejected = torch.searchsorted(negative, distinct, right=True).double()
    end = distinct.new_tensor([0.0])
    return ErrorRates(
        torch.cat([end - torch.inf, distinct]),
        torch.cat([end, missed / len(positive)]),
        torch.cat([end + 1, 1 - rejected / len(negative)]),
    )


def equal_error_rate(
    positive_scores: torch.Tensor,
    negative_scores: torch.Tensor,
    interpolate: bool = True,
) -> tuple[float, float]:
    """Computes the equal error rate (EER) and its threshold.

    Arguments
    ---------
    positive_scores, negative_scores : torch.Tensor
        As for ``error_rates``.
    interpolate : bool
        If True, joins the points of the ROC curve by straight lines and gives
        the rate where both errors are equal, as most papers do. Otherwise
        gives the mean of both rates at the threshold where they are closest,
        as SpeechBrain's ``EER`` does; the lowest such threshold.

    Returns
    -------
    eer : float
        A fraction, not per cent.
    threshold : float
        One of the scores, or -inf: where both rates are closest.

    Example
    -------
    >>> positive = torch.tensor([0.6, 0.7, 0.8, 0.5])
    >>> negative = torch.tensor([0.4, 0.3, 0.2, 0.1])
    >>> eer, threshold = equal_error_rate(positive, negative)
    >>> eer, round(threshold, 4)
    (0.0, 0.4)
    """
    thresholds, miss, alarm = error_rates(positive_scores, negative_scores)
    gap = miss - alarm  # ascending, from -1 to 1
    closest = int(gap.abs().argmin())
    threshold = thresholds[closest].item()
    if not interpolate:
        return ((miss + alarm)[closest] / 2).item(), threshold
    after = int((gap >= 0).nonzero()[0])
    before = after - 1
    share = gap[before] / (gap[before] - gap[after])
    rate = miss[before] + share * (miss[after] - miss[before])
    return rate.item(), threshold


def min_dcf(
    positive_scores: torch.Tensor,
    negative_scores: torch.Tensor,
    c_miss: float = 1.0,
    c_fa: float = 1.0,
    p_target: float = 0.01,
    normalize: bool = True,
) -> tuple[float, float]:
    """Computes the minimum detection cost (minDCF) and its threshold.

    DCF(t) = c_miss p_target miss(t) + c_fa (1 - p_target) false_alarm(t).

    Arguments
    ---------
    positive_scores, negative_scores : torch.Tensor
        As for ``error_rates``.
    c_miss, c_fa : float
        Costs of a miss and of a false alarm.
    p_target : float
        Prior probability of a target trial.
    normalize : bool
        If True, divides by min(c_miss p_target, c_fa (1 - p_target)), the
        cost of the better of accepting all and accepting none, as in the
        evaluations of NIST and VoxSRC: at most 1. Otherwise gives the bare
        cost, as SpeechBrain's ``minDCF`` does; the same unless accepting all
        trials is cheapest, which theirs does not consider.

    Returns
    -------
    cost : float
        The minimum.
    threshold : float
        One of the scores, or -inf; of equals the lowest.

    Example
    -------
    >>> positive = torch.tensor([0.6, 0.7, 0.8, 0.35])
    >>> negative = torch.tensor([0.4, 0.3, 0.2, 0.1])
    >>> min_dcf(positive, negative)[0]
    0.25
    >>> min_dcf(positive, negative, normalize=False)[0]
    0.0025
    """
    thresholds, miss, alarm = error_rates(positive_scores, negative_scores)
    costs = miss * (c_miss * p_target) + alarm * (c_fa * (1 - p_target))
    best = int(costs.argmin())
    cost = costs[best].item()
    if normalize:
        cost /= min(c_miss * p_target, c_fa * (1 - p_target))
    return cost, thresholds[best].item()
