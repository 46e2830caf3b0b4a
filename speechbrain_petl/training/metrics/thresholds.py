"""Decision thresholds, chosen on a validation split.

A label is given, and a trial accepted, where its score is *above* the
threshold. What a threshold achieves on the clips that it was chosen on says
little of other clips: choose on the validation split, never on the test split.
"""

import torch
from speechbrain_petl.training.metrics.counts import (
    check_scores,
    counts_by_threshold,
)
from speechbrain_petl.training.metrics.verification import (
    equal_error_rate,
    min_dcf,
)


def tagging_thresholds(
    scores: torch.Tensor,
    targets: torch.Tensor,
    beta: float = 1.0,
    fallback: float = 0.5,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Chooses for each class of a tagger the threshold of the best F-score.

    F = (1 + b^2) hits / (b^2 positives + accepted), with b = ``beta``. Of
    thresholds with the same F-score the highest is taken, that accepts the
    fewest clips. A threshold lies half-way between two neighboring scores,
    or just below the lowest.

    Arguments
    ---------
    scores : torch.Tensor
        Scores of the validation clips [clips, classes].
    targets : torch.Tensor
        Their labels [clips, classes], 0 or 1.
    beta : float
        Weight of recall against precision, above 0.
    fallback : float
        Threshold of a class that no validation clip has, on the scale of the
        scores.

    Returns
    -------
    thresholds : torch.Tensor
        Double precision [classes].
    f_scores : torch.Tensor
        F-score of each class on these clips [classes]; nan for a class that
        no validation clip has.

    Raises
    ------
    ValueError
        If ``beta`` is not positive; see also ``check_scores``.

    Example
    -------
    >>> scores = torch.tensor([[0.9, 0.2], [0.7, 0.1], [0.3, 0.3]])
    >>> targets = torch.tensor([[1, 0], [1, 0], [0, 0]])
    >>> thresholds, f_scores = tagging_thresholds(scores, targets)
    >>> thresholds
    tensor([0.5000, 0.5000], dtype=torch.float64)
    >>> f_scores
    tensor([1., nan], dtype=torch.float64)
    """
    if not beta > 0:
        raise ValueError(f"beta is {beta!r}, but should be above 0.")
    scores, targets = check_scores(scores, targets)
    n_classes = scores.shape[1]
    thresholds = torch.full((n_classes,), fallback, dtype=torch.float64)
    f_scores = torch.full((n_classes,), torch.nan, dtype=torch.float64)
    for c in range(n_classes):
        hits, accepted, edges = counts_by_threshold(scores[:, c], targets[:, c])
        if not hits[-1]:
            continue
        f = (1 + beta**2) * hits / (beta**2 * hits[-1] + accepted)
        best = int(f.argmax())  # the first of equals: the highest threshold
        f_scores[c] = f[best]
        thresholds[c] = below(edges, best)
    return thresholds, f_scores


def verification_threshold(
    positive_scores: torch.Tensor,
    negative_scores: torch.Tensor,
    p_target: float | None = None,
    c_miss: float = 1.0,
    c_fa: float = 1.0,
) -> float:
    """Chooses the threshold of a verification system.

    Arguments
    ---------
    positive_scores, negative_scores : torch.Tensor
        Scores of the validation split's target and other trials.
    p_target : float, optional
        Prior probability of a target trial where the system is to be used:
        gives the threshold of the least detection cost, see ``min_dcf``.
        Without it, the threshold at which both errors are equal.
    c_miss, c_fa : float
        Costs of a miss and of a false alarm; read with ``p_target``.

    Returns
    -------
    float
        Half-way between two neighboring scores, just below the lowest
        (accept all), or the highest (accept none).

    Example
    -------
    >>> positive = torch.tensor([0.6, 0.7, 0.8, 0.5])
    >>> negative = torch.tensor([0.4, 0.3, 0.2, 0.1])
    >>> round(verification_threshold(positive, negative), 4)
    0.45
    """
    sides = positive_scores.double().cpu(), negative_scores.double().cpu()
    if p_target is None:
        _, chosen = equal_error_rate(*sides)
    else:
        _, chosen = min_dcf(*sides, c_miss, c_fa, p_target)
    edges = torch.cat(sides).unique().flip(0)
    n_accepted = int((edges > chosen).sum())
    if not n_accepted:
        return edges[0].item()
    return below(edges, n_accepted - 1).item()


def below(edges: torch.Tensor, index: int) -> torch.Tensor:
    """Returns a threshold that accepts ``edges[:index + 1]`` and no more.

    Arguments
    ---------
    edges : torch.Tensor
        Distinct scores, descending.
    index : int
        Place of the lowest score to accept.

    Returns
    -------
    torch.Tensor

    Example
    -------
    >>> edges = torch.tensor([0.9, 0.5])
    >>> round(below(edges, 0).item(), 4), (below(edges, 1) < 0.5).item()
    (0.7, True)
    """
    if index + 1 < len(edges):
        middle = (edges[index] + edges[index + 1]) / 2
        # Of neighboring floats the middle is one of the two.
        return torch.where(middle < edges[index], middle, edges[index + 1])
    return torch.nextafter(edges[index], edges.new_tensor(-torch.inf))
