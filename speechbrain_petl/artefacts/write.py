"""Writes the artefact of a finished run, for others to use.

It is a folder of a few files that holds no path and no backbone::

    hyperparams.yaml     the modules, for SpeechBrain's ``from_hparams``
    petl.safetensors     the trained tensors by role, and the head's
    label_encoder.txt    the label map
    artefact.json        everything known about it, as plain data
    README.md            a model card
    custom.py            one line, for SpeechBrain's ``foreign_class``
"""

import hashlib
import json
import logging
import os
import sys
from pathlib import Path

from safetensors.torch import save
from speechbrain_petl.artefacts.backbones import (
    commit,
    fingerprint,
    portable_name,
)
from speechbrain_petl.artefacts.blueprint import Blueprint
from speechbrain_petl.artefacts.data_facts import data_facts
from speechbrain_petl.artefacts.format import (
    CARD,
    CUSTOM,
    FILES,
    FORMAT,
    FORMAT_VERSION,
    LABELS,
    METADATA,
    TENSORS,
    YAML,
    check_metadata,
    label_map,
)
from speechbrain_petl.artefacts.inference_yaml import inference_yaml
from speechbrain_petl.artefacts.model_card import model_card
from speechbrain_petl.artefacts.remembered import remember
from speechbrain_petl.artefacts.self_check import make_probe
from speechbrain_petl.artefacts.tasks import custom_code, task_of
from speechbrain_petl.artefacts.tensors import tensors_of
from speechbrain_petl.lobes.backbone import Backbone
from speechbrain_petl.lobes.front_end import FrontEnd
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.utils.files import replacing_folder
from speechbrain_petl.utils.metric import metric_of
from speechbrain_petl.utils.summary import summary
from speechbrain_petl.utils.versions import versions
from torch import nn

from speechbrain.dataio.encoder import CategoricalEncoder

logger = logging.getLogger(__name__)


def save_artefact(brain, corpus: str) -> str:
    """Writes the artefact of a finished run into its output folder.

    To be called on the main process, after ``brain.evaluate``: the brain
    holds the best epoch then, and ``results.json`` is there.

    Arguments
    ---------
    brain : PETLBrain
        The run's.
    corpus : str
        Name of the data, for the model card.

    Returns
    -------
    str
        The folder, ``<output_folder>/artefact``.

    Raises
    ------
    ValueError
        If the run left no ``results.json``, or its YAML lacks a key.
    """
    hparams = brain.hparams
    output = Path(hparams.output_folder)
    if not (output / "results.json").is_file():
        raise ValueError(
            f"There is no results.json in '{output}': an artefact is written "
            "after brain.evaluate, which leaves it."
        )
    results = json.loads((output / "results.json").read_text("utf-8"))
    metric = metric_of(results)
    kept = [metric.name, *brain.metrics, "n_test"]
    kept += [f"valid_{metric.name}", "best_epoch"]
    manifests = {
        split: getattr(hparams, f"{split}_manifest")
        for split in ("train", "valid", "test")
    }
    write_artefact(
        output / "artefact",
        hparams.backbone,
        hparams.compute_features,
        hparams.encoder,
        brain.trained_head(),
        brain.label_map(),
        (output / "hyperparams.yaml").read_text("utf-8"),
        {
            "task": brain.task,
            "decision": brain.decision(),
            "method": hparams.experiment_name,
            "trainable": results["trainable"],
            "training": {
                "corpus": corpus,
                "data": data_facts(
                    sys.argv[0],
                    hparams.data_folder,
                    hparams.train_manifest,
                    results["n_test"],
                ),
                "selects": metric.name,
                "direction": metric.direction,
                "seed": results["seed"],
                "fold": results["fold"],
                "folds": results["folds"],
                "clips": {s: describe(path) for s, path in manifests.items()},
                "hyperparameters": portable(results["hyperparameters"]),
            },
            # A run without a validation set has no metric of it.
            "metrics": {
                k: results[k] for k in kept if results.get(k) is not None
            },
        },
    )
    logger.info(summary(results, output))
    return str(output / "artefact")


def write_artefact(
    folder: str | Path,
    backbone: Backbone,
    compute_features: FrontEnd,
    encoder: PETLModel,
    classifier: nn.Module,
    label_encoder: CategoricalEncoder,
    run_yaml: str,
    facts: dict,
) -> None:
    """Writes an artefact, whole or not at all.

    Arguments
    ---------
    folder : str or Path
        Where to; absent, empty, or an artefact, which is replaced.
    backbone : Backbone
        What the encoder was made from.
    compute_features : FrontEnd
        The front end.
    encoder : PETLModel
        The adapted backbone.
    classifier : torch.nn.Module
        From embeddings [B, d] to logits [B, classes], or to whatever the task
        decides by.
    label_encoder : CategoricalEncoder
        The label map, of as many labels as classes; empty where the head's
        outputs are no classes.
    run_yaml : str
        The YAML that these came from, references resolved.
    facts : dict
        What else to record: ``method``, ``trainable``, ``training`` and
        ``metrics``; ``task`` and ``decision`` of another task than
        classification.
    """
    tensors = save(
        {
            name: tensor.detach().cpu().contiguous()
            for name, tensor in tensors_of(encoder, classifier).items()
        }
    )
    digest = hashlib.sha256(tensors).hexdigest()
    labels = [label_encoder.ind2lab[i] for i in range(len(label_encoder))]
    source, revision = portable_name(backbone.source), commit(backbone)
    metadata = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        **facts,
        "labels": labels,
        "backbone": {
            "source": source,
            "revision": revision,
            "fingerprint": fingerprint(backbone),
            **backbone.record(),
        },
        "features": compute_features.record(),
        "tensors": {"sha256": digest, "bytes": len(tensors)},
        "probe": make_probe(compute_features, encoder, classifier),
        "versions": versions(),
    }
    yaml = inference_yaml(
        run_yaml,
        (encoder.embedding_size, len(labels)),
        source,
        revision,
        compute_features.sample_rate,
        digest,
        {"backbone": backbone, "compute_features": compute_features},
        task_of(metadata),
        metadata.get("decision"),
    )
    check_metadata(metadata, METADATA)
    try:
        Blueprint(yaml, YAML, metadata)
    except ValueError as error:
        logger.warning(
            "Only from_hparams will load this artefact, since not all of it "
            "can be made from data: %s",
            error,
        )
    with replacing_folder(folder, METADATA, FILES) as new:
        (new / TENSORS).write_bytes(tensors)
        for name, text in {
            YAML: yaml,
            METADATA: json.dumps(metadata, indent=2, allow_nan=False),
            CARD: model_card(metadata),
            CUSTOM: custom_code(task_of(metadata)),
            LABELS: label_map(labels),
        }.items():
            (new / name).write_bytes(text.encode("utf-8"))
    remember(backbone.source, metadata["backbone"]["fingerprint"])


def describe(manifest: str) -> dict | None:
    """Returns the number of clips of a split and the manifest's SHA-256."""
    if not os.path.isfile(manifest):
        return None
    content = Path(manifest).read_bytes()
    return {
        "number": len(json.loads(content)),
        "manifest_sha256": hashlib.sha256(content).hexdigest(),
    }


def portable(hyperparameters: dict) -> dict:
    """Returns the hyperparameters without files and folders.

    Example
    -------
    >>> portable({"lr": 0.1, "data_folder": "/data/ESC-50", "pooling": "mean"})
    {'lr': 0.1, 'pooling': 'mean'}
    """
    return {
        name: value
        for name, value in hyperparameters.items()
        if not any(
            isinstance(v, str) and (os.sep in v or os.path.exists(v))
            for v in (value if isinstance(value, list) else [value])
        )
    }
