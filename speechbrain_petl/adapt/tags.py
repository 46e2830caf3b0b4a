"""Several labels a sound, or none: tagging."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from speechbrain_petl.adapt.doubtful_tags import doubtful_tags
from speechbrain_petl.adapt.one_label import worst_first
from speechbrain_petl.adapt.task import Given
from speechbrain_petl.artefacts.tasks import TAGGING
from speechbrain_petl.lobes.losses import bce
from speechbrain_petl.training.metrics.bootstrap import map_interval
from speechbrain_petl.training.metrics.tagging import (
    average_precision,
    score_tags,
)
from speechbrain_petl.training.metrics.thresholds import tagging_thresholds
from speechbrain_petl.utils.metric import Metric

NONE = "none of the classes"


class Tags:
    """See ``Task``; targets are zeros and ones [N, classes].

    Example
    -------
    >>> task = Tags()
    >>> p = torch.tensor([[0.9, 0.1], [0.6, 0.4]])
    >>> y = torch.tensor([[1, 0], [1, 1]])
    >>> task.score(p, y), task.members(y)
    (1.0, [[0, 1], [1]])
    """

    name = TAGGING
    metric = Metric("mAP")
    title = "Mean average precision (mAP)"
    overrides: Mapping[str, Any] = {
        "several_labels": True,
        "loss": "bce",
        "selects": "mAP",
    }
    # Whether an old clip has a new label, nobody knows.
    grows = False

    def loss(self, logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """See ``Task``."""
        return bce(logits, y)

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """See ``Task``; in double precision, which makes no ties near 1."""
        return logits.double().sigmoid()

    def score(self, p: torch.Tensor, y: torch.Tensor) -> float:
        """See ``Task``."""
        return score_tags(p, y).mean_ap

    def scores(self, p: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
        """See ``Task``."""
        found = score_tags(p, y)
        values = {"mAP": found.mean_ap, "mAUC": found.mean_auc}
        return {k: v for k, v in values.items() if v == v}  # no nan in JSON

    def interval(self, p: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
        """See ``Task``."""
        return map_interval(p, y)

    def shown(self, score: float) -> str:
        """See ``Task``."""
        return f"{score:.3f}"

    def members(self, y: torch.Tensor) -> list[list[int]]:
        """See ``Task``; clips without a label are a class, too."""
        columns = [*(y != 0).T, ~(y != 0).any(dim=1)]
        rows = [column.nonzero().flatten().tolist() for column in columns]
        return [some for some in rows if some]

    def decision(self, p: torch.Tensor, y: torch.Tensor) -> dict[str, Any]:
        """See ``Task``."""
        return {"thresholds": tagging_thresholds(p, y)[0].tolist()}

    def unknown(
        self, p: torch.Tensor, train: Given, valid: Given, decay: float
    ) -> dict[str, Any] | None:
        """See ``Task``."""
        del p, train, valid, decay
        return None

    def rows(
        self,
        p: torch.Tensor,
        y: torch.Tensor,
        names: Sequence[str],
        decision: Mapping[str, Any],
    ) -> tuple[list[str], list[list[str]]]:
        """See ``Task``."""
        given = p > torch.tensor(decision["thresholds"]).double()
        scores = [f"score {name}" for name in names]
        return ["targets", "predictions", *scores], [
            [
                ";".join(_chosen(names, has)),
                ";".join(_chosen(names, said)),
                *(f"{value:.6f}" for value in row),
            ]
            for has, said, row in zip(y != 0, given, p.tolist(), strict=True)
        ]

    def report(
        self, p: torch.Tensor, y: torch.Tensor, names: Sequence[str]
    ) -> dict[str, Any]:
        """See ``Task``."""
        found = average_precision(p, y).tolist()
        counts = y.count_nonzero(dim=0).tolist()
        bars = [
            {
                "name": name,
                "share": ap if n else None,
                "note": f"AP {ap:.3f} of {n}" if n else "no test clip",
            }
            for name, ap, n in zip(names, found, counts, strict=True)
        ]
        return {
            "told": "mean average precision (mAP) of the "
            f"{sum(n > 0 for n in counts)} classes that any of the {len(y)} "
            "test clips has",
            "confusion": None,
            "bars": worst_first(bars),
        }

    def mistakes(
        self,
        p: torch.Tensor,
        y: torch.Tensor,
        names: Sequence[str],
        decision: Mapping[str, Any],
    ) -> list[dict[str, Any]]:
        """See ``Task``.

        The probabilities are those of the least likely label that a clip
        has, and of the likeliest that it has not.
        """
        given = p > torch.tensor(decision["thresholds"]).double()
        has = y != 0
        missed, wrong = has & ~given, given & ~has
        # How far beyond its threshold the worst of a clip's labels is
        gap = (p - torch.tensor(decision["thresholds"]).double()).abs()
        worst = (gap * (missed | wrong)).max(dim=1).values
        rows = (missed | wrong).any(dim=1).nonzero().flatten().tolist()
        rows.sort(key=lambda i: -float(worst[i]))
        return [
            {
                "row": i,
                "label": ", ".join(_chosen(names, has[i])) or NONE,
                "said": ", ".join(_chosen(names, given[i])) or NONE,
                "of_label": _extreme(p[i][has[i]], min),
                "probability": _extreme(p[i][~has[i]], max),
            }
            for i in rows
        ]

    def doubts(
        self,
        clips: Given,
        groups: Sequence[str],
        names: Sequence[str],
        decay: float,
    ) -> list[dict[str, Any]]:
        """See ``Task``."""
        rows = []
        for one in doubtful_tags(*clips, groups, decay):
            texts = [names[one.tag], f"not {names[one.tag]}"]
            given, said = texts if one.has else texts[::-1]
            rows.append(
                {
                    "row": one.clip,
                    "label": given,
                    "said": said,
                    "of_label": 1 - one.p_other,
                    "probability": one.p_other,
                }
            )
        return rows


def _chosen(names, flags):
    """Returns the names where flags are set."""
    return [name for name, flag in zip(names, flags.tolist()) if flag]


def _extreme(values, pick):
    """Returns the least or the largest of some values, None if none."""
    return float(pick(values.tolist())) if len(values) else None
