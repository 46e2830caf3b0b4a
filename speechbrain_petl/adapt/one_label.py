"""One label a sound: classification."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from speechbrain_petl.adapt.insights import (
    KEPT,
    doubtful_labels,
    threshold,
    unknown_auroc,
)
from speechbrain_petl.adapt.task import Before, Given
from speechbrain_petl.artefacts.tasks import CLASSIFICATION
from speechbrain_petl.utils.interval import wilson
from speechbrain_petl.utils.metric import Metric
from torch import nn


class OneLabel:
    """See ``Task``; targets are indices [N].

    Example
    -------
    >>> task = OneLabel()
    >>> p, y = torch.tensor([[0.9, 0.1], [0.6, 0.4]]), torch.tensor([0, 1])
    >>> task.score(p, y), task.members(y)
    (0.5, [[0], [1]])
    """

    name = CLASSIFICATION
    metric = Metric()
    title = "Accuracy"
    overrides: Mapping[str, Any] = {}  # the recipe's own values
    several = False

    def encode(
        self, labels: Sequence[str], names: Sequence[str], named: Collection
    ) -> torch.Tensor:
        """See ``Task``."""
        del named  # one label says of all others that they are none
        place = {name: number for number, name in enumerate(names)}
        return torch.tensor([place[label] for label in labels])

    def pack(self, y: torch.Tensor) -> list[int]:
        """See ``Task``."""
        return y.tolist()

    def unpack(self, packed: Sequence[int], n_classes: int) -> torch.Tensor:
        """See ``Task``."""
        if not all(isinstance(one, int) for one in packed):
            raise ValueError("These are no indices.")
        y = torch.tensor(packed, dtype=torch.long)
        if not (len(y) and y.min() >= 0 and y.max() < n_classes):
            raise ValueError(f"These are no indices of {n_classes} classes.")
        return y

    def widen(self, y: torch.Tensor, n_classes: int) -> torch.Tensor:
        """See ``Task``; an index says of new classes that they are none."""
        del n_classes
        return y

    def told(self, y: torch.Tensor, n_classes: int) -> torch.Tensor:
        """See ``Task``."""
        del y
        return torch.ones(n_classes, dtype=torch.bool)

    def kept(
        self, n_clips: int, n_old: int, before: float, after: float
    ) -> str:
        """See ``Task``."""
        return (
            f"Of {n_clips} stored clips of the {n_old} classes that were there "
            f"before, {self.shown(before)} were told rightly before, and "
            f"{self.shown(after)} now."
        )

    def loss(self, logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """See ``Task``."""
        return nn.functional.cross_entropy(logits, y)

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """See ``Task``."""
        return logits.softmax(dim=1)

    def score(self, p: torch.Tensor, y: torch.Tensor) -> float:
        """See ``Task``."""
        return (p.argmax(dim=1) == y).double().mean().item()

    def scores(self, p: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
        """See ``Task``."""
        return {"accuracy": self.score(p, y)}

    def interval(self, p: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
        """See ``Task``."""
        return wilson(int((p.argmax(dim=1) == y).sum()), len(y))

    def shown(self, score: float) -> str:
        """See ``Task``."""
        return f"{score:.1%}".replace("%", " %")

    def members(self, y: torch.Tensor) -> list[list[int]]:
        """See ``Task``."""
        rows: dict[int, list[int]] = {}
        for row, label in enumerate(y.tolist()):
            rows.setdefault(label, []).append(row)
        return [rows[label] for label in sorted(rows)]

    def decision(
        self, p: torch.Tensor, y: torch.Tensor, before: Before | None = None
    ) -> dict[str, Any]:
        """See ``Task``."""
        del p, y, before  # the likeliest class, whatever they are
        return {}

    def strangers(
        self, train: Given, valid: Given, n_classes: int, decay: float
    ) -> float | None:
        """See ``Task``."""
        return unknown_auroc(*train, *valid, n_classes, decay)

    def unknown(
        self, p: torch.Tensor, strangers: float | None
    ) -> dict[str, Any] | None:
        """See ``Task``."""
        least = threshold(p.max(dim=1).values)
        return {"threshold": least, "kept": KEPT, "auroc": strangers}

    def rows(
        self,
        p: torch.Tensor,
        y: torch.Tensor,
        names: Sequence[str],
        decision: Mapping[str, Any],
    ) -> tuple[list[str], list[list[str]]]:
        """See ``Task``."""
        best, said = p.max(dim=1)
        return ["target", "prediction", "probability"], [
            [names[target], names[guess], f"{probability:.6f}"]
            for target, guess, probability in zip(
                y.tolist(), said.tolist(), best.tolist(), strict=True
            )
        ]

    def report(
        self, p: torch.Tensor, y: torch.Tensor, names: Sequence[str]
    ) -> dict[str, Any]:
        """See ``Task``."""
        counts = confusion(y, p.argmax(dim=1), len(names))
        right = sum(row[i] for i, row in enumerate(counts))
        return {
            "n_correct": right,
            "told": f"of {len(y)} test clips told rightly ({right})",
            "confusion": counts,
            "bars": recalls(counts, names),
        }

    def mistakes(
        self,
        p: torch.Tensor,
        y: torch.Tensor,
        names: Sequence[str],
        decision: Mapping[str, Any],
    ) -> list[dict[str, Any]]:
        """See ``Task``."""
        best, said = p.max(dim=1)
        wrong = (said != y).nonzero().flatten().tolist()
        wrong.sort(key=lambda i: -float(best[i]))
        return [
            {
                "row": i,
                "label": names[y[i]],
                "said": names[said[i]],
                "of_label": float(p[i, y[i]]),
                "probability": float(best[i]),
            }
            for i in wrong
        ]

    def doubts(
        self,
        clips: Given,
        groups: Sequence[str],
        names: Sequence[str],
        decay: float,
    ) -> list[dict[str, Any]]:
        """See ``Task``."""
        return [
            {
                "row": one.clip,
                "label": names[one.given],
                "said": names[one.likely],
                "of_label": one.p_given,
                "probability": one.p_likely,
            }
            for one in doubtful_labels(*clips, groups, len(names), decay)
        ]


def confusion(
    targets: torch.Tensor, predicted: torch.Tensor, n_classes: int
) -> list[list[int]]:
    """Counts clips by target and prediction.

    Example
    -------
    >>> confusion(torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1]), 2)
    [[1, 1], [0, 1]]
    """
    flat = torch.bincount(
        targets * n_classes + predicted, minlength=n_classes**2
    )
    return flat.reshape(n_classes, n_classes).tolist()


def recalls(
    counts: Sequence[Sequence[int]], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Returns of each class how many clips it has and how many are right.

    The class that is told worst comes first.

    Example
    -------
    >>> recalls([[1, 1], [0, 2]], ["dog", "cat"])[0]
    {'name': 'dog', 'share': 0.5, 'note': '1 of 2'}
    """
    rows = []
    for number, name in enumerate(names):
        right, total = counts[number][number], sum(counts[number])
        share = right / total if total else None
        note = f"{right} of {total}" if total else "no test clip"
        rows.append({"name": name, "share": share, "note": note})
    return worst_first(rows)


def worst_first(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sorts bars by their share; those without any come last."""
    return sorted(rows, key=lambda row: (row["share"] is None, row["share"]))
