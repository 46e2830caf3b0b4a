"""More classes, or more clips, for an artefact: its head is fitted anew.

The adapted backbone stays. The head is a linear probe on its embeddings of the
new clips and of stored clips of the old classes, which are thereby replayed.
"""

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from hyperpyyaml import resolve_references
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.tag import Tag
from speechbrain_petl.adapt.embeddings import Outputs
from speechbrain_petl.adapt.probe import Probe, tune
from speechbrain_petl.adapt.prototypes import PER_CLASS, unpack
from speechbrain_petl.adapt.sounds import TASKS, Sounds
from speechbrain_petl.adapt.task import Before, Given, Task
from speechbrain_petl.artefacts.format import YAML as HYPERPARAMS
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.tasks import task_of
from speechbrain_petl.artefacts.trained import Trained
from speechbrain_petl.artefacts.write import describe, write_artefact
from speechbrain_petl.lobes.backbone import Backbone
from torch import nn

from speechbrain.dataio.encoder import CategoricalEncoder

SIZES = ("in_features", "out_features")


class Grown(NamedTuple):
    """A head that was fitted anew, and what it does on the old classes.

    Arguments
    ---------
    probe : Probe
        The head.
    before, after : float
        The task's metric on stored clips of the old classes, which neither
        head was fitted on: of the old head, and of the new one.
    n_old : int
        Number of old classes.
    n_stored : int
        Number of those clips.
    """

    probe: Probe
    before: float
    after: float
    n_old: int
    n_stored: int

    def facts(self) -> dict[str, Any]:
        """Returns what a report says of it."""
        return {k: v for k, v in self._asdict().items() if k != "probe"}


def told_before(task: Task, facts: Mapping[str, Any]) -> str:
    """Returns ``Grown.facts`` in words."""
    return task.kept(
        facts["n_stored"], facts["n_old"], facts["before"], facts["after"]
    )


def require_prototypes(artefact: Artefact) -> dict[str, Any]:
    """Returns the stored prototypes of an artefact.

    Raises
    ------
    ValueError
        If it has none.
    """
    found = artefact.metadata.get("prototypes")
    if found is None:
        raise ValueError(
            "This artefact holds no stored clips of its classes, which only "
            "speechbrain-petl train writes: train on all classes at once."
        )
    return found


def join_labels(sounds: Sounds, labels: list[str]) -> Sounds:
    """Returns sounds whose label map begins with the classes of an artefact."""
    encoder = CategoricalEncoder()
    encoder.update_from_iterable(
        [*labels, *(name for name in sounds.names if name not in labels)]
    )
    encoder.expect_len(len(encoder))
    return replace(sounds, labels=encoder)


def before_of(trained: Trained, sounds: Sounds) -> Before:
    """Returns what an artefact brings along.

    Arguments
    ---------
    trained : Trained
        The artefact.
    sounds : Sounds
        The new clips, with the labels of all classes.

    Returns
    -------
    Before

    Raises
    ------
    ValueError
        If its stored clips are damaged, or the new ones have another kind of
        labels.
    """
    task = TASKS[task_of(trained.metadata)]
    if sounds.task is not task:
        raise ValueError(
            f"The clips of '{sounds.data_folder}' have several labels each, "
            "or none, and those of the artefact have one label each: train on "
            "all of them at once, without --continue."
        )
    n_old, n_classes = len(trained.labels), len(sounds.labels)
    stored = {}
    for split in PER_CLASS:
        packed = trained.metadata["prototypes"][split]
        x, y = unpack(packed, n_old, task)
        stored[split] = Given(x, task.widen(y, n_classes))
    decision = trained.metadata.get("decision", {})
    stays = ~task.told(sounds.targets("train"), n_classes)
    return Before(stored, decision, stays)


def grow(trained: Trained, known: dict[str, Outputs], before: Before) -> Grown:
    """Fits a head on new clips and on the stored ones.

    Arguments
    ---------
    trained : Trained
        The artefact.
    known : dict of str to Outputs
        Its embeddings of the new training and validation clips.
    before : Before
        What it brings along.

    Returns
    -------
    Grown
    """
    task = TASKS[task_of(trained.metadata)]
    old, n_old = _head_of(trained), len(trained.labels)
    n_classes, stays = len(before.stays), before.stays
    train, valid = (
        before.join(split, known[split].given) for split in PER_CLASS
    )
    if stays.any():  # of these nothing is fitted
        for clips in (train, valid):
            clips.y[:, stays] = torch.nan
    probe = tune(
        *train,
        *valid,
        n_classes,
        loss=task.loss,
        score=lambda logits, y: task.score(task.probabilities(logits), y),
    )
    probe.weight[stays] = old.weight[stays[:n_old]]
    probe.bias[stays] = old.bias[stays[:n_old]]
    held = unpack(trained.metadata["prototypes"]["valid"], n_old, task)
    targets = held.y, before.stored["valid"].y
    scores = [
        task.score(task.probabilities(head(held.x)), y)
        for head, y in zip((old, probe), targets, strict=True)
    ]
    return Grown(probe, *scores, n_old, len(held.x))


def _head_of(trained: Trained) -> Probe:
    """Returns the head of an artefact, which has to be one linear layer."""
    layers = [m for m in trained.classifier.modules() if type(m) is nn.Linear]
    if layers != [trained.classifier]:
        raise ValueError(
            "The head of this artefact is not one linear layer, which is what "
            "can be grown."
        )
    weight, bias = (p.detach().cpu() for p in trained.classifier.parameters())
    return Probe(weight, bias, decay=0.0)


def write_grown(
    folder: Path,
    artefact: Artefact,
    trained: Trained,
    backbone: Backbone,
    grown: Grown,
    sounds: Sounds,
    decision: Mapping[str, Any],
) -> None:
    """Writes an artefact with the new head.

    Arguments
    ---------
    folder : Path
        Where to.
    artefact : Artefact
        The old one.
    trained : Trained
        Its modules.
    backbone : Backbone
        What the encoder was made from, fitted to it.
    grown : Grown
        The new head.
    sounds : Sounds
        The new clips, with the labels of all classes.
    decision : mapping
        What it decides by.
    """
    head = nn.Linear(grown.probe.weight.shape[1], len(sounds.labels))
    with torch.no_grad():
        head.weight.copy_(grown.probe.weight)
        head.bias.copy_(grown.probe.bias)
    counts = trained.encoder.count_parameters()
    write_artefact(
        folder,
        backbone,
        trained.compute_features,
        trained.encoder,
        head,
        sounds.labels,
        run_yaml(artefact.files[HYPERPARAMS].read_text("utf-8")),
        {
            "task": sounds.task.name,
            "decision": decision,
            "method": artefact.metadata["method"],
            "trainable": {
                **counts,
                "head": sum(p.numel() for p in head.parameters()),
            },
            "training": {
                **artefact.metadata["training"],
                "corpus": f"{artefact.metadata['training']['corpus']} and "
                f"{Path(sounds.data_folder).name}",
                "clips": {
                    split: describe(sounds.manifest(split))
                    for split in ("train", "valid")
                },
            },
            "metrics": {"old_before": grown.before, "old_after": grown.after},
        },
    )


def run_yaml(text: str) -> str:
    """Returns an artefact's YAML as that of a run, whose head has no size.

    Example
    -------
    >>> print(run_yaml("classifier: !new:torch.nn.Linear {in_features: 3}"))
    classifier: !name:torch.nn.Linear {}
    <BLANKLINE>
    """
    tree = YAML().load(resolve_references(text).getvalue())
    old = tree["classifier"]
    new = CommentedMap({k: v for k, v in old.items() if k not in SIZES})
    name = old.tag.value.removeprefix("!new:")
    new.yaml_set_ctag(Tag(suffix=f"!name:{name}"))
    tree["classifier"] = new
    written = io.StringIO()
    YAML().dump(tree, written)
    return written.getvalue()
