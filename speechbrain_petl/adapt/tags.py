"""Several labels a sound, or none: tagging."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from speechbrain_petl.adapt.doubtful_tags import doubtful_tags
from speechbrain_petl.adapt.one_label import worst_first
from speechbrain_petl.adapt.task import Before, Given
from speechbrain_petl.artefacts.tasks import TAGGING
from speechbrain_petl.lobes.losses import bce
from speechbrain_petl.training.metrics.bootstrap import map_interval
from speechbrain_petl.training.metrics.tagging import (
    average_precision,
    score_tags,
)
from speechbrain_petl.training.metrics.thresholds import tagging_thresholds
from speechbrain_petl.utils.metric import Metric
from torch import nn

NONE = "none of the classes"
UNTOLD = "-"  # of a stored clip and a class


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
    several = True

    def encode(
        self,
        labels: Sequence[Sequence[str]],
        names: Sequence[str],
        named: Collection,
    ) -> torch.Tensor:
        """See ``Task``; of a class that is never named, nothing is known."""
        place = {name: number for number, name in enumerate(names)}
        known = [0.0 if name in named else torch.nan for name in names]
        y = torch.tensor(known).repeat(len(labels), 1)
        for row, some in enumerate(labels):
            y[row, [place[name] for name in some]] = 1.0
        return y

    def pack(self, y: torch.Tensor) -> list[str]:
        """See ``Task``: a sign for each class, 0, 1, or ``UNTOLD``."""
        signs = {0.0: "0", 1.0: "1"}
        return [
            "".join(signs.get(one, UNTOLD) for one in row) for row in y.tolist()
        ]

    def unpack(self, packed: Sequence[str], n_classes: int) -> torch.Tensor:
        """See ``Task``."""
        values = {"0": 0.0, "1": 1.0, UNTOLD: torch.nan}
        for one in packed:
            is_text = isinstance(one, str) and len(one) == n_classes
            if not is_text or not set(one) <= set(values):
                raise ValueError(f"These are no tags of {n_classes} classes.")
        rows = [[values[sign] for sign in one] for one in packed]
        return torch.tensor(rows).reshape(len(rows), n_classes)

    def widen(self, y: torch.Tensor, n_classes: int) -> torch.Tensor:
        """See ``Task``; whether an old clip has a new label, nobody knows."""
        new = (0, n_classes - y.shape[1])
        return nn.functional.pad(y, new, value=torch.nan)

    def told(self, y: torch.Tensor, n_classes: int) -> torch.Tensor:
        """See ``Task``."""
        del n_classes
        return (~y.isnan()).any(dim=0)

    def kept(
        self, n_clips: int, n_old: int, before: float, after: float
    ) -> str:
        """See ``Task``."""
        return (
            f"On {n_clips} stored clips, the {self.metric.name} of the {n_old} "
            f"classes that were there before was {self.shown(before)} before, "
            f"and is {self.shown(after)} now."
        )

    def loss(self, logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """See ``Task``; what nobody knows is left out."""
        told = ~y.isnan()
        return bce(logits[told][None], y[told][None])

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """See ``Task``; in double precision, which makes no ties near 1."""
        return logits.double().sigmoid()

    def score(self, p: torch.Tensor, y: torch.Tensor) -> float:
        """See ``Task``."""
        return self.scores(p, y)["mAP"]

    def scores(self, p: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
        """See ``Task``; each class by the clips of which it is known."""
        if not y.isnan().any():
            found = [score_tags(p, y)]
        else:
            found = [
                score_tags(p[told, c : c + 1], y[told, c : c + 1])
                for c, told in enumerate((~y.isnan()).T)
                if (y[told, c] > 0).any()
            ]
        if not found:
            raise ValueError("No clip has a label: there is no mAP.")
        values = {
            "mAP": torch.tensor([one.mean_ap for one in found]).double(),
            "mAUC": torch.tensor([one.mean_auc for one in found]).double(),
        }
        means = {k: v.nanmean().item() for k, v in values.items()}
        return {k: v for k, v in means.items() if v == v}  # no nan in JSON

    def interval(self, p: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
        """See ``Task``."""
        told = self.told(y, p.shape[1])
        return map_interval(p[:, told], y[:, told])

    def shown(self, score: float) -> str:
        """See ``Task``."""
        return f"{score:.3f}"

    def members(self, y: torch.Tensor) -> list[list[int]]:
        """See ``Task``; clips without a label are a class, too."""
        columns = [*(y > 0).T, ~(y > 0).any(dim=1)]
        rows = [column.nonzero().flatten().tolist() for column in columns]
        return [some for some in rows if some]

    def decision(
        self, p: torch.Tensor, y: torch.Tensor, before: Before | None = None
    ) -> dict[str, Any]:
        """See ``Task``; a class that stays keeps its threshold."""
        thresholds = []
        for c, told in enumerate((~y.isnan()).T):
            if before is not None and before.stays[c]:
                thresholds.append(before.decision["thresholds"][c])
                continue
            (found,), _ = tagging_thresholds(
                p[told, c : c + 1], y[told, c : c + 1]
            )
            thresholds.append(found.item())
        return {"thresholds": thresholds}

    def strangers(
        self, train: Given, valid: Given, n_classes: int, decay: float
    ) -> float | None:
        """See ``Task``."""
        del train, valid, n_classes, decay
        return None

    def unknown(
        self, p: torch.Tensor, strangers: float | None
    ) -> dict[str, Any] | None:
        """See ``Task``."""
        del p, strangers
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
            for has, said, row in zip(y > 0, given, p.tolist(), strict=True)
        ]

    def report(
        self, p: torch.Tensor, y: torch.Tensor, names: Sequence[str]
    ) -> dict[str, Any]:
        """See ``Task``."""
        known = y.nan_to_num()  # of a class that is not told, no clip has it
        found = average_precision(p, known).tolist()
        counts = known.count_nonzero(dim=0).tolist()
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
        has, lacks = y > 0, y == 0
        missed, wrong = has & ~given, given & lacks
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
                "probability": _extreme(p[i][lacks[i]], max),
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
        told = self.told(clips.y, len(names))
        known = [name for name, is_told in zip(names, told) if is_told]
        for one in doubtful_tags(clips.x, clips.y[:, told], groups, decay):
            texts = [known[one.tag], f"not {known[one.tag]}"]
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
