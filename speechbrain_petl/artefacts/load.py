"""A trained model from an artefact's tensors and data, no code of it run."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from speechbrain_petl.artefacts.backbones import check_backbone, locate
from speechbrain_petl.artefacts.check import check_labels, load_tensors
from speechbrain_petl.artefacts.format import read_metadata
from speechbrain_petl.artefacts.safe_yaml import TRUSTED, Spec
from speechbrain_petl.artefacts.self_check import check_probe
from speechbrain_petl.lobes.ast import AST
from speechbrain_petl.lobes.backbone import Backbone
from speechbrain_petl.lobes.features import ASTFbank
from speechbrain_petl.lobes.petl import PETLModel
from torch import nn


class Trained(NamedTuple):
    """The modules of an artefact, in eval mode, and its facts."""

    metadata: dict
    compute_features: ASTFbank
    encoder: PETLModel
    classifier: nn.Module

    @property
    def labels(self) -> list[str]:
        """The labels in the order of the logits."""
        return self.metadata["labels"]


def load_backbone(metadata: dict, source: str | None = None) -> AST:
    """Loads the backbone that an artefact names, and checks that it is it.

    Arguments
    ---------
    metadata : dict
        The artefact's ``artefact.json``.
    source : str, optional
        Folder or hub id to take instead of the recorded name.

    Returns
    -------
    AST
        As its checkpoint has it.
    """
    recorded = metadata["backbone"]
    backbone = AST(
        locate(source or recorded["source"]),
        None if source else recorded["revision"],
    )
    check_backbone(backbone, recorded["fingerprint"])
    return backbone


def load_trained(
    folder: str | Path,
    backbone: AST | None = None,
    fit: Callable[..., Backbone] = Backbone.refit,
    trusted: tuple[str, ...] = TRUSTED,
) -> Trained:
    """Loads an artefact onto a backbone, strictly.

    Arguments
    ---------
    folder : str or Path
        The artefact.
    backbone : AST, optional
        As ``load_backbone`` gives it, already checked; its tensors are shared
        with the result. Loaded by default.
    fit : callable
        Gives the backbone the artefact's clip length, as ``Backbone.refit`` does.
    trusted : tuple of str
        Packages from which the artefact may make modules.

    Returns
    -------
    Trained
        The modules, on the backbone's device.

    Raises
    ------
    ValueError
        If anything is missing, another's or not trusted, or the probe fails.
    """
    folder = Path(folder)
    metadata = read_metadata(folder / "artefact.json")
    if backbone is None:
        backbone = load_backbone(metadata)
    spec = Spec(folder / "hyperparams.yaml", trusted=trusted)
    options = spec.options("ast")
    spec.built["ast"] = fit(
        backbone,
        max_length=options["max_length"],
        position_embeddings=options["position_embeddings"],
        pooling=options["pooling"],
    )
    device = next(backbone.parameters()).device
    modules = [
        spec.build(key).to(device)
        for key in ("compute_features", "encoder", "classifier")
    ]
    load_tensors(
        folder / "petl.safetensors",
        metadata["tensors"]["sha256"],
        *modules[1:],
    )
    check_labels(folder / "label_encoder.txt", metadata)
    check_probe(metadata["probe"], *modules)
    return Trained(metadata, *modules)
