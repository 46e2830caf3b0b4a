"""What a run of tagging leaves: results.json, predictions.csv, a picture."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from speechbrain_petl.training.metrics.tagging import score_tags
from speechbrain_petl.training.outputs import (
    write_picture,
    write_rows,
    write_summary,
)
from speechbrain_petl.training.results import recorded

from speechbrain.dataio.encoder import CategoricalEncoder


@dataclass
class TagResult:
    """Predictions of a tagger on a split.

    Arguments
    ---------
    ids : list of str
        Names of the N clips.
    targets : torch.Tensor
        Labels [N, classes], 0 or 1, on the CPU.
    logits : torch.Tensor
        Logits [N, classes], on the CPU.

    Example
    -------
    >>> result = TagResult(["a"], torch.eye(2)[:1], torch.zeros(1, 2))
    >>> result.scores()
    tensor([[0.5000, 0.5000]], dtype=torch.float64)
    """

    ids: list[str]
    targets: torch.Tensor
    logits: torch.Tensor

    def scores(self) -> torch.Tensor:
        """Returns the sigmoids [N, classes], in double precision.

        Single precision would make ties of scores near 1.
        """
        return self.logits.double().sigmoid()

    def given(self, thresholds: Sequence[float]) -> torch.Tensor:
        """Returns bools [N, classes]: the labels above the thresholds."""
        return self.scores() > torch.tensor(thresholds, dtype=torch.float64)


def f_scores(
    given: torch.Tensor, targets: torch.Tensor
) -> tuple[float, float | None]:
    """Returns the F1 score over all labels, and the mean over the classes.

    Classes that no clip has are left out of the mean.

    Arguments
    ---------
    given : torch.Tensor
        Bools [N, classes]: the labels that clips were given.
    targets : torch.Tensor
        The labels that they have [N, classes].

    Returns
    -------
    micro : float
        F1 of all pairs of a clip and a class.
    macro : float or None
        Mean of the classes' F1; None where no clip has a label.

    Example
    -------
    >>> given = torch.tensor([[True, False], [True, False]])
    >>> f_scores(given, torch.tensor([[1, 0], [0, 1]]))
    (0.5, 0.3333333432674408)
    """
    has = targets != 0
    hits, sums = (given & has).sum(dim=0), given.sum(dim=0) + has.sum(dim=0)
    micro = 2 * hits.sum() / sums.sum().clamp(min=1)
    each = (2 * hits / sums.clamp(min=1))[has.any(dim=0)]
    return micro.item(), each.mean().item() if len(each) else None


def write_tag_results(
    folder: str,
    result: TagResult,
    thresholds: Sequence[float],
    label_encoder: CategoricalEncoder,
    facts: Mapping[str, Any],
    hparams: dict,
) -> None:
    """Writes the results of a run, each file whole or not at all.

    Arguments
    ---------
    folder : str
        The run's output folder.
    result : TagResult
        Predictions on the test set.
    thresholds : sequence of float
        Thresholds of the classes.
    label_encoder : CategoricalEncoder
        The corpus's label map.
    facts : mapping
        What else goes into ``results.json``.
    hparams : dict
        What ran: the YAML's values and SpeechBrain's options, of which the
        plain ones are recorded.
    """
    labels = [label_encoder.ind2lab[i] for i in range(len(label_encoder))]
    scores, given = result.scores(), result.given(thresholds)
    found = score_tags(scores, result.targets)
    micro, macro = f_scores(given, result.targets)
    absent = set(found.absent)
    ap = [None if i in absent else p for i, p in enumerate(found.ap.tolist())]
    counts = result.targets.count_nonzero(dim=0).tolist()
    write_rows(
        folder,
        "predictions.csv",
        ["id", "targets", "predictions", *(f"score {name}" for name in labels)],
        (
            [id_, _names(has, labels), _names(told, labels), *_shown(row)]
            for id_, has, told, row in zip(
                result.ids, result.targets != 0, given, scores, strict=True
            )
        ),
    )
    write_picture(
        folder,
        "average_precision.png",
        lambda: draw_average_precision(ap, labels, found.mean_ap),
        "the numbers are in results.json",
    )
    summary = {
        "mAP": found.mean_ap,
        "mAUC": found.mean_auc,
        "d_prime": found.d_prime,
        "n_test": len(result.ids),
        "f1_micro": micro,
        "f1_macro": macro,
        **facts,
        "ap": dict(zip(labels, ap, strict=True)),
        "auc": dict(zip(labels, map(_finite, found.auc.tolist()), strict=True)),
        "positives": dict(zip(labels, counts, strict=True)),
        "thresholds": dict(zip(labels, thresholds, strict=True)),
        "labels": labels,
        **recorded(hparams),
    }
    write_summary(folder, {k: _finite(v) for k, v in summary.items()})


def draw_average_precision(
    ap: Sequence[float | None], labels: Sequence[str], mean: float
):
    """Draws the average precision of each class, the best on top.

    Arguments
    ---------
    ap : sequence of float or None
        Of each class; None for one that no clip has, which is left out.
    labels : sequence of str
        The classes.
    mean : float
        Their mean.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure  # slow to import

    pairs = [
        (p, name) for p, name in zip(ap, labels, strict=True) if p is not None
    ]
    pairs.sort(key=lambda pair: pair[0])
    height = max(3.0, 0.16 * len(pairs) + 1.2)
    figure = Figure(figsize=(6, height), layout="constrained")
    axes = figure.subplots()
    # Names are text: matplotlib would read a dollar sign as mathematics.
    names = [name.replace("$", r"\$") for _, name in pairs]
    axes.barh(range(len(pairs)), [p for p, _ in pairs], color="0.6")
    axes.set_yticks(range(len(pairs)), names, fontsize=6)
    axes.axvline(mean, color="black", linestyle=":", label=f"mAP {mean:.4f}")
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.7, len(pairs) - 0.3)
    axes.set_xlabel("average precision")
    axes.legend(loc="lower right", fontsize=8)
    return figure


def _names(bools, labels):
    """Returns the labels of a row as a JSON list: they may hold any sign."""
    return json.dumps(
        [labels[i] for i in bools.nonzero().flatten().tolist()],
        ensure_ascii=False,
    )


def _shown(row):
    """Returns scores as text, with digits for near 0 and near 1."""
    return [f"{score:.6f}" for score in row.tolist()]


def _finite(value):
    """Returns None for a number that is not finite, which JSON lacks."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
