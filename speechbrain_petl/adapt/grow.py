"""More classes, or more clips, for an artefact: its head is fitted anew.

The adapted backbone stays. The head is a linear probe on its embeddings of the
new clips and of stored clips of the old classes, which are thereby replayed.
"""

import io
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
from speechbrain_petl.adapt.prototypes import unpack
from speechbrain_petl.adapt.sounds import Sounds
from speechbrain_petl.artefacts.format import YAML as HYPERPARAMS
from speechbrain_petl.artefacts.open import Artefact
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
        Accuracy on stored clips of the old classes, which neither head was
        fitted on: of the old head, and of the new one.
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
            "speechbrain-petl train writes, of clips with one label each: "
            "train on all classes at once."
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


def grow(trained: Trained, known: dict[str, Outputs], n_classes: int) -> Grown:
    """Fits a head on new clips and on the stored ones.

    Arguments
    ---------
    trained : Trained
        The artefact.
    known : dict of str to Outputs
        Its embeddings of the new training and validation clips.
    n_classes : int
        Number of all classes, the old ones first.

    Returns
    -------
    Grown
    """
    n_old = len(trained.labels)
    stored = {
        split: unpack(trained.metadata["prototypes"][split], n_old)
        for split in ("train", "valid")
    }
    x, y = (
        {
            split: torch.cat([old, getattr(known[split], name)])
            for split, old in (
                (split, stored[split][place]) for split in stored
            )
        }
        for place, name in enumerate(("values", "targets"))
    )
    probe = tune(x["train"], y["train"], x["valid"], y["valid"], n_classes)
    held, targets = stored["valid"]
    with torch.no_grad():
        said = trained.classifier(held).argmax(dim=1)
    before = (said == targets).double().mean().item()
    after = probe.accuracy(held, targets)
    return Grown(probe, before, after, n_old, len(targets))


def write_grown(
    folder: Path,
    artefact: Artefact,
    trained: Trained,
    backbone: Backbone,
    grown: Grown,
    sounds: Sounds,
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
    """
    layers = [m for m in trained.classifier.modules() if type(m) is nn.Linear]
    if layers != [trained.classifier]:
        raise ValueError(
            "The head of this artefact is not one linear layer, which is what "
            "can be grown."
        )
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
