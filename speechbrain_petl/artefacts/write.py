"""The artefact: what a finished run leaves for others to use.

A folder of a few files that holds no path and no backbone::

    hyperparams.yaml     the modules, for SpeechBrain's ``from_hparams``
    petl.safetensors     the trained tensors by role, and the head's
    label_encoder.txt    the label map
    artefact.json        everything known about it, as plain data
    README.md            a model card
    custom.py            one line, for SpeechBrain's ``foreign_class``
"""

import hashlib
import json
import os
from pathlib import Path

import torch
from safetensors.torch import save
from speechbrain_petl.artefacts.backbones import (
    commit,
    fingerprint,
    portable_name,
)
from speechbrain_petl.artefacts.format import FORMAT, FORMAT_VERSION, HEAD
from speechbrain_petl.artefacts.inference_yaml import inference_yaml
from speechbrain_petl.artefacts.model_card import model_card
from speechbrain_petl.artefacts.self_check import make_probe
from speechbrain_petl.utils.files import replacing_folder
from speechbrain_petl.utils.versions import versions
from torch import nn

from speechbrain.dataio.encoder import CategoricalEncoder

METRICS = ("accuracy", "n_test", "loss", "valid_accuracy", "best_epoch")
CUSTOM = '''\
"""For speechbrain.inference.interfaces.foreign_class."""

from speechbrain_petl.inference import PETLClassifier as CustomInterface
'''


def save_artefact(brain, corpus: str) -> str:
    """Writes the artefact of a finished run into its output folder.

    To be called on the main process, after ``brain.evaluate``: the brain
    holds the best epoch then, and ``results.json`` is there.

    Arguments
    ---------
    brain : AudioClassificationBrain
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
    manifests = {
        split: getattr(hparams, f"{split}_manifest")
        for split in ("train", "valid", "test")
    }
    write_artefact(
        output / "artefact",
        hparams.ast,
        hparams.compute_features,
        hparams.encoder,
        unwrap(brain.modules.classifier),
        brain.label_encoder,
        (output / "hyperparams.yaml").read_text("utf-8"),
        {
            "method": hparams.experiment_name,
            "trainable": results["trainable"],
            "training": {
                "corpus": corpus,
                "seed": results["seed"],
                "fold": results["fold"],
                "folds": results["folds"],
                "clips": {s: describe(path) for s, path in manifests.items()},
                "hyperparameters": portable(results["hyperparameters"]),
            },
            "metrics": {k: results[k] for k in METRICS if k in results},
        },
    )
    return str(output / "artefact")


def write_artefact(
    folder: str | Path,
    backbone: nn.Module,
    compute_features: nn.Module,
    encoder: nn.Module,
    classifier: nn.Module,
    label_encoder: CategoricalEncoder,
    run_yaml: str,
    facts: dict,
) -> None:
    """Writes an artefact, whole or not at all.

    Arguments
    ---------
    folder : str or Path
        Where; what is there is replaced.
    backbone : AST
        What the encoder was made from.
    compute_features : ASTFbank
        The front end.
    encoder : PETLModel
        The adapted backbone.
    classifier : torch.nn.Module
        From embeddings [B, d] to logits [B, classes].
    label_encoder : CategoricalEncoder
        The label map, of as many labels as classes.
    run_yaml : str
        The YAML that these came from, references resolved.
    facts : dict
        What else to record: ``method``, ``trainable``, ``training`` and
        ``metrics``.
    """
    tensors = save(tensors_of(encoder, classifier))
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
            "max_length": backbone.config.max_length,
            "hidden_size": backbone.config.hidden_size,
            "pooling": backbone.pooling,
        },
        "features": {
            "sample_rate": compute_features.sample_rate,
            "max_length": compute_features.max_length,
            "mean": compute_features.mean,
            "std": compute_features.std,
        },
        "tensors": {"sha256": digest, "bytes": len(tensors)},
        "probe": make_probe(compute_features, encoder, classifier),
        "versions": versions(),
    }
    yaml = inference_yaml(
        run_yaml,
        (backbone.config.hidden_size, len(labels)),
        source,
        revision,
        compute_features.sample_rate,
        digest,
    )
    with replacing_folder(folder) as new:
        (new / "petl.safetensors").write_bytes(tensors)
        (new / "hyperparams.yaml").write_text(yaml, "utf-8")
        (new / "artefact.json").write_text(
            json.dumps(metadata, indent=2, allow_nan=False), "utf-8"
        )
        (new / "README.md").write_text(model_card(metadata), "utf-8")
        (new / "custom.py").write_text(CUSTOM, "utf-8")
        label_encoder.save(new / "label_encoder.txt")


def tensors_of(
    encoder: nn.Module, classifier: nn.Module
) -> dict[str, torch.Tensor]:
    """What is saved: the encoder's delta, and the head under ``head.``."""
    head = {HEAD + k: t for k, t in classifier.state_dict().items()}
    return {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in {**encoder.delta(), **head}.items()
    }


def unwrap(module: nn.Module) -> nn.Module:
    """The module inside what DDP and ``torch.compile`` put around it."""
    for name in ("module", "_orig_mod"):
        module = getattr(module, name, module)
    return module


def describe(manifest: str) -> dict | None:
    """Which clips a split has: how many, and the SHA-256 of the manifest."""
    if not os.path.isfile(manifest):
        return None
    content = Path(manifest).read_bytes()
    return {
        "number": len(json.loads(content)),
        "manifest_sha256": hashlib.sha256(content).hexdigest(),
    }


def portable(hyperparameters: dict) -> dict:
    """The hyperparameters without files and folders.

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
