"""What a finished run leaves: results.json, predictions.csv, a figure."""

import json
import math
import os
from dataclasses import dataclass

import torch
from speechbrain_petl.training.command_line import DEFAULTS
from speechbrain_petl.training.outputs import (
    write_picture,
    write_rows,
    write_summary,
)
from speechbrain_petl.training.parallel import n_processes
from speechbrain_petl.utils.settings import NEUTRAL
from speechbrain_petl.utils.versions import versions

from speechbrain.utils.logger import get_logger

logger = get_logger(__name__)


@dataclass
class TestResult:
    """Predictions of a classifier on a split.

    Arguments
    ---------
    ids : list of str
        Names of the N clips.
    targets : torch.Tensor
        Indices [N] of their labels, on the CPU.
    logits : torch.Tensor
        Logits [N, classes], on the CPU.

    Example
    -------
    >>> TestResult(["a", "b"], torch.tensor([0, 1]), torch.eye(2)).accuracy()
    1.0
    """

    __test__ = False  # the name is not a test's

    ids: list[str]
    targets: torch.Tensor
    logits: torch.Tensor

    def columns(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Returns targets, predicted indices and their probabilities."""
        best, predicted = self.logits.softmax(dim=1).max(dim=1)
        return self.targets.flatten(), predicted, best

    def accuracy(self) -> float:
        """Returns the share of clips whose label is predicted."""
        targets, predicted, _ = self.columns()
        return (targets == predicted).double().mean().item()

    def unweighted_accuracy(self) -> float:
        """Returns the mean recall of the classes that have a clip.

        As emotions are usually reported, whose classes differ in size.

        Example
        -------
        >>> targets = torch.tensor([0, 0, 0, 1])
        >>> logits = torch.eye(2)[[0, 0, 0, 0]]
        >>> TestResult(list("abcd"), targets, logits).unweighted_accuracy()
        0.5
        """
        targets, predicted, _ = self.columns()
        clips = targets.bincount().double()
        hits = targets[targets == predicted].bincount(minlength=len(clips))
        return (hits[clips > 0] / clips[clips > 0]).mean().item()

    def confusion(self, n_classes: int) -> torch.Tensor:
        """Returns counts [target, prediction]."""
        from sklearn.metrics import confusion_matrix  # slow to import

        targets, predicted, _ = self.columns()
        return torch.from_numpy(
            confusion_matrix(targets, predicted, labels=range(n_classes))
        )

    def recall(self, n_classes: int) -> list[float | None]:
        """Returns the recall of each class, None for one without a clip."""
        from sklearn.metrics import recall_score  # slow to import

        targets, predicted, _ = self.columns()
        recalls = recall_score(
            targets,
            predicted,
            labels=range(n_classes),
            average=None,
            zero_division=math.nan,
        )
        return [None if math.isnan(r) else r for r in recalls.tolist()]


def write_results(folder, result, label_encoder, facts, hparams):
    """Writes the results of a run, each file whole or not at all.

    Arguments
    ---------
    folder : str
        The run's output folder.
    result : TestResult
        Predictions on the test set.
    label_encoder : CategoricalEncoder
        The corpus's label map.
    facts : dict
        What else goes into ``results.json``.
    hparams : dict
        What ran: the YAML's values and SpeechBrain's options (see ``used``),
        of which the plain ones are recorded.
    """
    labels = [label_encoder.decode_ndim(i) for i in range(len(label_encoder))]
    confusion = result.confusion(len(labels))
    targets, predicted, confidence = result.columns()
    recall = result.recall(len(labels))
    summary = {
        "accuracy": result.accuracy(),
        "n_test": len(targets),
        "n_correct": int((targets == predicted).sum()),
        **facts,
        "recall": dict(zip(labels, recall, strict=True)),
        "confusion": confusion.tolist(),
        "labels": labels,
        **recorded(hparams),
    }
    write_rows(
        folder,
        "predictions.csv",
        ["id", "target", "prediction", "probability"],
        (
            [name, labels[target], labels[guess], f"{p:.6f}"]
            for name, target, guess, p in zip(
                result.ids,
                targets.tolist(),
                predicted.tolist(),
                confidence.tolist(),
            )
        ),
    )
    write_picture(
        folder,
        "confusion_matrix.png",
        lambda: draw_confusion(confusion, labels),
        "the counts are in results.json",
    )
    write_summary(folder, summary)


def recorded(hparams: dict) -> dict:
    """Returns what every ``results.json`` says of how the run was made.

    Arguments
    ---------
    hparams : dict
        What ran: the YAML's values and SpeechBrain's options (see ``used``).

    Returns
    -------
    dict
        Seed, folds, versions and plain hyperparameters.
    """
    return {
        "seed": hparams.get("seed"),
        **folds_of(hparams),
        "versions": versions(),
        "hyperparameters": plain(hparams),
    }


def used(brain) -> dict:
    """Returns the options of SpeechBrain as a brain really has them.

    On the command line they win over the YAML, and some are told by others.

    Arguments
    ---------
    brain : Brain
        The run's.

    Returns
    -------
    dict
        Those that change what is computed and are in the YAML or no default;
        ``device``, its kind, and ``processes``, how many share the training.
    """
    options = {
        key: getattr(brain, key)
        for key in DEFAULTS.keys() - NEUTRAL
        if hasattr(brain.hparams, key) or getattr(brain, key) != DEFAULTS[key]
    }
    return {
        **options,
        "device": brain.device_type,
        "processes": n_processes(),
    }


def folds_of(hparams: dict) -> dict:
    """Returns which folds were tested, as the manifests have them.

    Arguments
    ---------
    hparams : dict
        The manifests' paths, and ``test_fold``.

    Returns
    -------
    dict
        ``fold``, the one that was tested or None, and ``folds`` of each split,
        None for a corpus without folds.
    """
    folds = {}
    for split in ("train", "valid", "test"):
        path = hparams.get(f"{split}_manifest")
        if path is None or not os.path.isfile(path):
            return {"fold": hparams.get("test_fold"), "folds": None}
        with open(path, encoding="utf-8") as file:
            entries = json.load(file).values()
        folds[split] = sorted({e["fold"] for e in entries if "fold" in e})
    if not folds["test"]:
        return {"fold": None, "folds": None}
    one = folds["test"][0] if len(folds["test"]) == 1 else None
    return {"fold": one, "folds": folds}


def draw_confusion(confusion: torch.Tensor, labels: list[str]):
    """Draws a confusion matrix, rows in share of their class.

    Arguments
    ---------
    confusion : torch.Tensor
        Counts [target, prediction].
    labels : list of str
        The classes in their order.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure  # slow to import

    n = len(labels)
    size = max(4.0, 0.32 * n + 2.0)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    share = confusion / confusion.sum(dim=1, keepdim=True).clamp(min=1)
    axes.imshow(share.numpy(), cmap="Greys", vmin=0, vmax=1)
    axes.set_xticks(range(n), labels, rotation=90, fontsize=7)
    axes.set_yticks(range(n), labels, fontsize=7)
    axes.set_xlabel("predicted")
    axes.set_ylabel("target")
    for row, column in confusion.nonzero().tolist():
        axes.text(
            column,
            row,
            str(int(confusion[row, column])),
            ha="center",
            va="center",
            fontsize=6,
            color="white" if share[row, column] > 0.5 else "black",
        )
    return figure


def plain(hparams: dict) -> dict:
    """Returns the hyperparameters that JSON can hold.

    Numbers, texts and lists of them; infinity becomes a text. Where the folds
    were given as lists, ``test_fold`` had no effect and is None.
    """
    kept = {}
    for name, value in sorted(hparams.items()):
        values = value if isinstance(value, (list, tuple)) else [value]
        if not name.startswith("_") and all(
            isinstance(v, (str, int, float, bool, type(None))) for v in values
        ):
            infinite = isinstance(value, float) and not math.isfinite(value)
            kept[name] = str(value) if infinite else value
    if kept.get("test_folds") is not None:
        kept["test_fold"] = None
    return kept
