"""How sure a mean average precision is: intervals by the bootstrap."""

import torch
from speechbrain_petl.training.metrics.counts import check_scores

DRAWS = 1000
LEVEL = 0.95


def map_interval(
    scores: torch.Tensor,
    targets: torch.Tensor,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[float, float]:
    """Returns a 95 % interval of the mean average precision (mAP).

    The clips are drawn anew with replacement (Efron and Tibshirani, 1993),
    and the interval reaches from the 2.5th to the 97.5th percentile. A class
    of which a draw has no positive clip is left out of that draw's mean.

    Arguments
    ---------
    scores : torch.Tensor
        Scores [clips, classes], higher where a label is likelier.
    targets : torch.Tensor
        Labels [clips, classes], 0 or 1.
    draws : int
        Number of draws.
    seed : int
        Seed of the draws.

    Returns
    -------
    (float, float)

    Raises
    ------
    ValueError
        If no clip has a label; see also ``check_scores``.

    Example
    -------
    >>> scores = torch.tensor([[0.9], [0.8], [0.7], [0.1]])
    >>> map_interval(scores, torch.tensor([[1], [0], [1], [0]]))
    (0.3333333333333333, 1.0)
    """
    scores, targets = check_scores(scores, targets)
    if not targets.any():
        raise ValueError("No clip has a label: there is no mAP to bound.")
    generator = torch.Generator().manual_seed(seed)
    n = len(scores)
    drawn = torch.randint(n, (draws, n), generator=generator)
    times = torch.zeros(draws, n, dtype=torch.float64)
    times.scatter_add_(1, drawn, torch.ones_like(times))
    means = mean_precision(scores, targets, times)
    tails = torch.tensor([(1 - LEVEL) / 2, (1 + LEVEL) / 2]).double()
    low, high = means[means.isfinite()].quantile(tails).tolist()
    return low, high


def mean_precision(
    scores: torch.Tensor, targets: torch.Tensor, times: torch.Tensor
) -> torch.Tensor:
    """Returns the mAP [draws] of draws in which clips occur several times.

    Arguments
    ---------
    scores : torch.Tensor
        Scores [clips, classes], in double precision.
    targets : torch.Tensor
        Bools [clips, classes].
    times : torch.Tensor
        How often each clip occurs [draws, clips].

    Returns
    -------
    torch.Tensor
        nan for a draw without any positive clip.

    Example
    -------
    >>> scores = torch.tensor([[0.9], [0.2]])
    >>> targets = torch.tensor([[False], [True]])
    >>> mean_precision(scores, targets, torch.tensor([[1.0, 1.0], [1.0, 3.0]]))
    tensor([0.5000, 0.7500])
    """
    found = []
    for c in range(scores.shape[1]):
        ordered, index = scores[:, c].sort(descending=True)
        _, sizes = ordered.unique_consecutive(return_counts=True)
        last = sizes.cumsum(0) - 1  # of each run of equal scores
        weights = times[:, index]
        accepted = weights.cumsum(dim=1)[:, last]
        hits = (weights * targets[index, c]).cumsum(dim=1)[:, last]
        gained = hits.diff(dim=1, prepend=hits.new_zeros(len(hits), 1))
        precision = hits / accepted.clamp(min=1)
        found.append((precision * gained).sum(dim=1) / hits[:, -1])
    return torch.stack(found).nanmean(dim=0)
