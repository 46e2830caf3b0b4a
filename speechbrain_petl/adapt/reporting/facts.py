"""What a report says, as plain data: the content of ``report.json``."""

from pathlib import Path
from typing import Any

import torch
from speechbrain_petl.adapt.embeddings import Outputs
from speechbrain_petl.adapt.insights import doubtful_labels, learning_curve
from speechbrain_petl.adapt.record import Record
from speechbrain_petl.adapt.search import RUNS
from speechbrain_petl.adapt.sounds import SPLITS, Sounds
from speechbrain_petl.utils.interval import wilson
from speechbrain_petl.utils.versions import versions

SHOWN = 12  # mistakes and doubtful labels
NEAR = "near-identical sound"


def report_facts(
    record: Record,
    sounds: Sounds,
    known: dict[str, Outputs],
    ids: list[str],
    probabilities: torch.Tensor,
    targets: torch.Tensor,
    chosen: list[dict[str, Any]],
) -> dict[str, Any]:
    """Gathers what a report says.

    Arguments
    ---------
    record : Record
        What the search kept.
    sounds : Sounds
        The data.
    known : dict of str to Outputs
        Embeddings of the training and the validation split.
    ids : list of str
        Names of the N test clips.
    probabilities : torch.Tensor
        Probabilities [N, classes] of the test clips.
    targets : torch.Tensor
        Their classes [N].
    chosen : list of dict
        The results that were chosen.

    Returns
    -------
    dict
        Plain data for JSON.
    """
    names = sounds.names
    predicted = probabilities.argmax(dim=1)
    right = predicted == targets
    low, high = wilson(int(right.sum()), len(ids))
    decay = record["probe"]["overrides"]["decay"]
    train, valid = known["train"], known["valid"]
    curve = learning_curve(
        train.values,
        train.targets,
        valid.values,
        valid.targets,
        len(names),
        decay,
    )
    return {
        "data": Path(sounds.data_folder).name,
        "classes": {
            name: {s: sounds.classes(s)[name] for s in SPLITS} for name in names
        },
        "clips": sounds.sizes(),
        "window": sounds.record["window"],
        "notes": sounds.record["notes"],
        "chosen": [one["name"] for one in chosen],
        "accuracy": right.double().mean().item(),
        "interval": [low, high],
        "n_test": len(ids),
        "n_correct": int(right.sum()),
        "valid_accuracy": record["test"]["valid_accuracy"],
        "confusion": confusion(targets, predicted, len(names)),
        "unknown": record["test"]["unknown"],
        "continued": record["continued"],
        "learning_curve": [
            {"clips_per_class": n, "valid_accuracy": a} for n, a in curve
        ],
        "mistakes": _mistakes(sounds, ids, probabilities, targets),
        "doubtful_labels": _doubts(sounds, known, decay),
        "near_duplicates": _near(sounds),
        "groups": len(sounds.record["groups"]),
        "tried": _tried(record),
        "seconds": round(record.spent(), 1),
        "settings": record["settings"],
        "versions": versions(),
    }


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


def _mistakes(sounds, ids, p, targets):
    """Returns the test clips that were told wrongly, the surest first."""
    best, predicted = p.max(dim=1)
    wrong = [i for i in range(len(ids)) if predicted[i] != targets[i]]
    wrong.sort(key=lambda i: -float(best[i]))
    return [
        {
            "clip": ids[i],
            "split": "test",
            "label": sounds.names[targets[i]],
            "said": sounds.names[predicted[i]],
            "probability": round(float(best[i]), 4),
            "of_label": round(float(p[i, targets[i]]), 4),
        }
        for i in wrong[:SHOWN]
    ]


def _doubts(sounds, known, decay):
    """Returns the labels of training and validation that are likely wrong."""
    splits = [s for s in ("train", "valid") for _ in known[s].ids]
    ids = [name for s in ("train", "valid") for name in known[s].ids]
    groups = [
        sounds.entries[split][name].get("group", name)
        for split, name in zip(splits, ids, strict=True)
    ]
    doubts = doubtful_labels(
        torch.cat([known[s].values for s in ("train", "valid")]),
        torch.cat([known[s].targets for s in ("train", "valid")]),
        groups,
        len(sounds.names),
        decay,
    )
    return [
        {
            "clip": ids[d.clip],
            "split": splits[d.clip],
            "label": sounds.names[d.given],
            "said": sounds.names[d.likely],
            "probability": round(d.p_likely, 4),
            "of_label": round(d.p_given, 4),
        }
        for d in doubts[:SHOWN]
    ]


def _near(sounds):
    """Returns the pairs of near-identical sounds, the most alike first."""
    found = [
        reason
        for group in sounds.record["groups"]
        for reason in group["reasons"]
        if reason["why"] == NEAR
    ]
    found.sort(key=lambda reason: -reason["similarity"])
    return [
        {
            "sounds": reason["sounds"],
            "similarity": reason["similarity"],
            "labels": reason.get("labels"),
        }
        for reason in found
    ]


def _tried(record):
    """Returns what was tried, in turn, and how long each took."""
    rows = [{"name": "linear", "round": 0, "epochs": None, **record["probe"]}]
    rows += [
        {"name": name.rpartition("-epochs_")[0], **run}
        for name, run in (record[RUNS] or {}).items()
    ]
    return [
        {
            key: row.get(key)
            for key in (
                *("name", "round", "epochs", "parameters", "seconds"),
                *("accuracy", "loss", "outcome"),
            )
        }
        for row in rows
    ]
