"""What a report says, as plain data: the content of ``report.json``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from speechbrain_petl.adapt.embeddings import Outputs
from speechbrain_petl.adapt.grow import told_before
from speechbrain_petl.adapt.insights import learning_curve
from speechbrain_petl.adapt.record import PHASES, Record
from speechbrain_petl.adapt.search import RUNS
from speechbrain_petl.adapt.sounds import SPLITS, Sounds
from speechbrain_petl.adapt.task import Before, Given
from speechbrain_petl.utils.versions import versions

SHOWN = 12  # mistakes and doubtful labels
NEAR = "near-identical sound"


def early_facts(
    record: Record,
    sounds: Sounds,
    known: dict[str, Outputs],
    before: Before | None = None,
) -> dict[str, Any]:
    """Gathers what a report says of the training and validation clips.

    It takes its time, and depends on no model but the linear probe: it comes
    before the search, which then knows how much time is left.

    Arguments
    ---------
    record : Record
        What was found so far.
    sounds : Sounds
        The data.
    known : dict of str to Outputs
        Embeddings of the training and the validation split.
    before : Before, optional
        What an artefact that was continued brought along.

    Returns
    -------
    dict
        Plain data for JSON.
    """
    task, names = sounds.task, sounds.names
    decay = record["probe"]["overrides"]["decay"]
    train, valid = given_of(known, before)
    curve = learning_curve(*train, *valid, len(names), decay, task)
    return {
        "learning_curve": [
            {"clips_per_class": n, f"valid_{task.metric.name}": score}
            for n, score in curve
        ],
        "doubtful_labels": _doubts(sounds, known, decay),
        "strangers": task.strangers(train, valid, len(names), decay),
    }


def report_facts(
    record: Record,
    sounds: Sounds,
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
    ids : list of str
        Names of the N test clips.
    probabilities : torch.Tensor
        Probabilities [N, classes] of the test clips.
    targets : torch.Tensor
        Their targets.
    chosen : list of dict
        The results that were chosen.

    Returns
    -------
    dict
        Plain data for JSON.
    """
    task, names, test = sounds.task, sounds.names, record["test"]
    early = record["early"]
    decision, score = test["voted"]["decision"], test["voted"]["metrics"]
    mistakes = task.mistakes(probabilities, targets, names, decision)
    return {
        "data": Path(sounds.data_folder).name,
        "task": task.name,
        "classes": {
            name: {s: sounds.classes(s)[name] for s in SPLITS} for name in names
        },
        "clips": sounds.sizes(),
        "window": sounds.record["window"],
        "notes": sounds.record["notes"],
        "chosen": [one["name"] for one in chosen],
        "metric": task.metric.name,
        **score,
        "interval": test["interval"],
        "members": [one["score"] for one in test["members"]],
        **task.report(probabilities, targets, names),
        "unknown": test["voted"]["unknown"],
        "continued": record["continued"],
        "continued_told": record["continued"]
        and told_before(task, record["continued"]),
        "learning_curve": early["learning_curve"],
        "mistakes": [
            {"clip": ids[one["row"]], "split": "test", **_told(one)}
            for one in mistakes[:SHOWN]
        ],
        "n_mistakes": len(mistakes),
        "doubtful_labels": early["doubtful_labels"],
        "near_duplicates": _near(sounds),
        "groups": len(sounds.record["groups"]),
        "tried": _tried(record),
        "seconds": round(record.spent(), 1),
        "phases": record[PHASES],
        "settings": record["settings"],
        "versions": versions(),
    }


def given_of(
    known: Mapping[str, Outputs], before: Before | None
) -> tuple[Given, Given]:
    """Returns the training and validation clips, stored ones included."""
    train, valid = (
        known[s].given if before is None else before.join(s, known[s].given)
        for s in ("train", "valid")
    )
    return train, valid


def _told(row):
    """Returns what is shown of a clip, its probabilities rounded."""
    return {
        key: round(value, 4) if isinstance(value, float) else value
        for key, value in row.items()
        if key != "row"
    }


def _doubts(sounds, known, decay):
    """Returns the labels of training and validation that are likely wrong."""
    splits = [s for s in ("train", "valid") for _ in known[s].ids]
    ids = [name for s in ("train", "valid") for name in known[s].ids]
    groups = [
        sounds.entries[split][name].get("group", name)
        for split, name in zip(splits, ids, strict=True)
    ]
    clips = Given(
        torch.cat([known[s].values for s in ("train", "valid")]),
        torch.cat([known[s].targets for s in ("train", "valid")]),
    )
    doubts = sounds.task.doubts(clips, groups, sounds.names, decay)
    return [
        {"clip": ids[one["row"]], "split": splits[one["row"]], **_told(one)}
        for one in doubts[:SHOWN]
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
                *("score", "loss", "outcome"),
            )
        }
        for row in rows
    ]
