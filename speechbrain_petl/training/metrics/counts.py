"""What the metrics of tagging count: clips accepted at each threshold."""

import torch
from speechbrain_petl.utils.messages import name_some


def check_scores(
    scores: torch.Tensor, targets: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns scores in double precision and targets as bools, on the CPU.

    Raises
    ------
    ValueError
        If the shapes differ or are not [clips, classes], there is no clip, a
        score is not finite, or a target is neither 0 nor 1.

    Example
    -------
    >>> check_scores(torch.zeros(2, 3), torch.zeros(3, 2))
    Traceback (most recent call last):
    ...
    ValueError: Scores [2, 3] and targets [3, 2] should both be ...
    """
    shapes = [list(scores.shape), list(targets.shape)]
    if scores.dim() != 2 or shapes[0] != shapes[1] or not scores.numel():
        raise ValueError(
            f"Scores {shapes[0]} and targets {shapes[1]} should both be "
            "[clips, classes], with a clip and a class at least."
        )
    scores = scores.detach().double().cpu()
    targets = targets.detach().cpu()
    bad = (~scores.isfinite()).any(dim=1).nonzero().flatten().tolist()
    if bad:
        raise ValueError(
            f"The scores of {len(bad)} clips are not finite, those in the "
            f"rows {name_some([str(i) for i in bad])}: see why the model "
            "gives them."
        )
    if not ((targets == 0) | (targets == 1)).all():
        raise ValueError(
            "Targets should be 0 or 1: soft labels, as of mixup, are for "
            "training and cannot be scored."
        )
    return scores, targets != 0


def counts_by_threshold(
    scores: torch.Tensor, targets: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Counts what is accepted at each distinct score of a class.

    Arguments
    ---------
    scores : torch.Tensor
        Scores [clips], in double precision.
    targets : torch.Tensor
        Bools [clips].

    Returns
    -------
    hits, accepted : torch.Tensor
        Positive clips, and all clips, that score as high or higher [distinct
        scores]; double precision.
    thresholds : torch.Tensor
        The distinct scores, from the highest to the lowest.

    Example
    -------
    >>> scores = torch.tensor([0.5, 0.9, 0.5])
    >>> counts_by_threshold(scores, torch.tensor([True, True, False]))[0]
    tensor([1., 2.], dtype=torch.float64)
    """
    ordered, index = scores.sort(descending=True)
    thresholds, sizes = ordered.unique_consecutive(return_counts=True)
    accepted = sizes.cumsum(0)
    hits = targets[index].cumsum(0)[accepted - 1]
    return hits.double(), accepted.double(), thresholds
