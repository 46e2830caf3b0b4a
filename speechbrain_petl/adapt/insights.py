"""What stored embeddings tell of a collection: more data, labels, strangers.

All is computed by linear probes on embeddings of the training and validation
clips; the test split has no part in it.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

import torch
from speechbrain_petl.adapt.probe import Loss, cross_entropy, fit
from speechbrain_petl.adapt.task import Task

DRAWS = 3
FOLDS = 5
MOST_LEFT_OUT = 8  # classes that are left out in turn
KEPT = 0.95  # share of known sounds that a threshold should keep
FEWEST = 3  # validation clips of a class that can be left out


class Doubt(NamedTuple):
    """A label that other clips of the collection speak against.

    Arguments
    ---------
    clip : int
        Number of the clip.
    given, likely : int
        Index of the label that it has, and of the likelier one.
    p_given, p_likely : float
        Their probabilities.
    """

    clip: int
    given: int
    likely: int
    p_given: float
    p_likely: float


def learning_curve(
    x: torch.Tensor,
    y: torch.Tensor,
    valid_x: torch.Tensor,
    valid_y: torch.Tensor,
    n_classes: int,
    decay: float,
    task: Task,
    seed: int = 0,
) -> list[tuple[int, float]]:
    """Measures a probe with 1, 2, 4, ... training clips of each class.

    Arguments
    ---------
    x, valid_x : torch.Tensor
        Embeddings [N, d].
    y, valid_y : torch.Tensor
        Their targets.
    n_classes : int
        Number of classes.
    decay : float
        Strength of the probe's penalty.
    task : Task
        One label a clip, or several.
    seed : int
        Seed of the draws, of which the mean is taken.

    Returns
    -------
    list of (int, float)
        Clips of a class, at most, and the score on the validation split; the
        last is of all clips.
    """
    rows = task.members(y)
    most = max(map(len, rows))
    sizes = [2**k for k in range(most.bit_length()) if 2**k < most]
    curve = []
    for size in [*sizes, most]:
        found = []
        for draw in range(DRAWS if size < most else 1):
            rng = random.Random(f"{seed}/{size}/{draw}")
            drawn = [rng.sample(one, min(size, len(one))) for one in rows]
            some = sorted({row for one in drawn for row in one})
            (probe,) = fit(x[some], y[some], n_classes, [decay], task.loss)
            p = task.probabilities(probe(valid_x))
            found.append(task.score(p, valid_y))
        curve.append((size, sum(found) / len(found)))
    return curve


def held_out(
    x: torch.Tensor,
    y: torch.Tensor,
    groups: Sequence[str],
    n_classes: int,
    decay: float,
    loss: Loss = cross_entropy,
    seed: int = 0,
) -> torch.Tensor | None:
    """Judges each clip by a probe that was trained without its group.

    Arguments
    ---------
    x : torch.Tensor
        Embeddings [N, d].
    y : torch.Tensor
        Their targets.
    groups : sequence of str
        The group of each clip.
    n_classes : int
        Number of classes.
    decay : float
        Strength of the probe's penalty.
    loss : callable
        Loss of logits and targets.
    seed : int
        Seed of the folds.

    Returns
    -------
    torch.Tensor or None
        Logits [N, classes]; None if all clips are of one group.
    """
    names = sorted(set(groups))
    if len(names) < 2:
        return None
    random.Random(seed).shuffle(names)
    fold_of = {name: k % FOLDS for k, name in enumerate(names)}
    folds = torch.tensor([fold_of[group] for group in groups])
    logits = torch.zeros(len(y), n_classes)
    for fold in range(min(FOLDS, len(names))):
        held = folds == fold
        (probe,) = fit(x[~held], y[~held], n_classes, [decay], loss)
        logits[held] = probe(x[held])
    return logits


def doubtful_labels(
    x: torch.Tensor,
    y: torch.Tensor,
    groups: Sequence[str],
    n_classes: int,
    decay: float,
    seed: int = 0,
) -> list[Doubt]:
    """Finds labels that are likely wrong, by confident learning.

    Each clip is judged by a probe that was trained without it and its group.
    A label is doubtful where another class is likelier than that class is on
    average for its own clips (Northcutt et al., JAIR 2021).

    Arguments
    ---------
    x : torch.Tensor
        Embeddings [N, d].
    y : torch.Tensor
        Their classes [N].
    groups : sequence of str
        The group of each clip.
    n_classes : int
        Number of classes.
    decay : float
        Strength of the probe's penalty.
    seed : int
        Seed of the folds.

    Returns
    -------
    list of Doubt
        The most doubtful first.
    """
    logits = held_out(x, y, groups, n_classes, decay, seed=seed)
    if logits is None:
        return []
    p = logits.softmax(dim=1)
    own = p[torch.arange(len(y)), y]
    usual = torch.full((n_classes,), float("inf"))
    for label in range(n_classes):
        if (y == label).any():
            usual[label] = own[y == label].mean()
    confident = p.where(p >= usual, torch.zeros(()))
    confident[torch.arange(len(y)), y] = 0.0
    best, likely = confident.max(dim=1)
    doubts = [
        Doubt(i, int(y[i]), int(likely[i]), float(own[i]), float(best[i]))
        for i in range(len(y))
        if best[i] > own[i]
    ]
    return sorted(doubts, key=lambda d: d.p_given - d.p_likely)


def threshold(probabilities: torch.Tensor, kept: float = KEPT) -> float:
    """Returns a probability that a share of known sounds reaches.

    Arguments
    ---------
    probabilities : torch.Tensor
        Probability [N] of the best class of validation clips.
    kept : float
        The share.

    Returns
    -------
    float

    Example
    -------
    >>> threshold(torch.tensor([0.9, 0.2, 0.8, 0.7]), kept=0.75)
    0.7
    """
    ordered = probabilities.double().sort(descending=True).values
    index = min(len(ordered) - 1, max(0, round(kept * len(ordered)) - 1))
    return round(ordered[index].item(), 6)


def unknown_auroc(
    x: torch.Tensor,
    y: torch.Tensor,
    valid_x: torch.Tensor,
    valid_y: torch.Tensor,
    n_classes: int,
    decay: float,
) -> float | None:
    """Measures how well sounds of no class are told from those of one.

    Each of some classes is left out of a probe's training in turn: its
    validation clips are strangers then. They should have a less probable best
    class than the others.

    Arguments
    ---------
    x, valid_x : torch.Tensor
        Embeddings [N, d].
    y, valid_y : torch.Tensor
        Their classes [N].
    n_classes : int
        Number of classes.
    decay : float
        Strength of the probe's penalty.

    Returns
    -------
    float or None
        Mean area under the ROC curve; None if too few classes or clips.
    """
    counts = torch.bincount(valid_y, minlength=n_classes)
    able = [c for c in range(n_classes) if counts[c] >= FEWEST]
    if n_classes < 3 or not able:
        return None
    step = max(1, len(able) // MOST_LEFT_OUT)
    areas = []
    for left_out in able[::step][:MOST_LEFT_OUT]:
        kept = y != left_out
        (probe,) = fit(x[kept], y[kept], n_classes, [decay])
        logits = probe(valid_x)
        logits[:, left_out] = -torch.inf
        score = logits.softmax(dim=1).max(dim=1).values
        stranger = valid_y == left_out
        areas.append(area(score[~stranger], score[stranger]))
    return sum(areas) / len(areas)


def area(higher: torch.Tensor, lower: torch.Tensor) -> float:
    """Returns the share of pairs in which the first is the larger one.

    Ties count as a half: the area under the ROC curve.

    Example
    -------
    >>> area(torch.tensor([0.9, 0.5]), torch.tensor([0.1, 0.5]))
    0.875
    """
    difference = higher.double()[:, None] - lower.double()[None]
    return ((difference > 0).double() + (difference == 0) / 2).mean().item()
