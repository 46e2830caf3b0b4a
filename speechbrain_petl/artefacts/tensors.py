"""How the tensors of ``petl.safetensors`` get into modules."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from speechbrain_petl.artefacts.format import LARGEST, TENSORS, refuse
from speechbrain_petl.artefacts.header import compare_digest, read_shapes
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.utils.messages import mismatches, printable
from speechbrain_petl.utils.regular_files import read_regular
from torch import nn

HEAD = "head."  # before the names of the head's tensors


def tensors_of(
    encoder: PETLModel, classifier: nn.Module
) -> dict[str, torch.Tensor]:
    """Returns what is saved: the encoder's delta, the head under ``head.``."""
    head = classifier.state_dict().items()
    return {**encoder.delta(), **{HEAD + name: t for name, t in head}}


def check_shapes(
    found: Mapping[str, tuple[int, ...]],
    encoder: PETLModel,
    classifier: nn.Module,
    path: str | Path,
) -> None:
    """Refuses tensors that are not exactly those of a model.

    Arguments
    ---------
    found : mapping of str to tuple of int
        From ``read_shapes``.
    encoder : PETLModel
        The adapted backbone; may be on the meta device, without memory.
    classifier : torch.nn.Module
        The head, likewise.
    path : str or Path
        The file, for the message.

    Raises
    ------
    ValueError
        If a tensor is missing, unexpected or misshapen, naming it.
    """
    own = tensors_of(encoder, classifier)
    problems = mismatches({n: t.shape for n, t in own.items()}, found)
    refuse(
        [printable(problems)] if problems else [],
        path,
        "does not fit the model that hyperparams.yaml describes",
    )


@torch.no_grad()
def fill(
    path: str | Path,
    metadata: Mapping,
    encoder: PETLModel,
    classifier: nn.Module,
    links: bool = False,
) -> None:
    """Fills an encoder and a head with trained tensors, strictly.

    Arguments
    ---------
    path : str or Path
        ``petl.safetensors``; read once, so that what is checked is loaded.
    metadata : mapping
        The artefact's ``artefact.json``.
    encoder : PETLModel
        The adapted backbone.
    classifier : torch.nn.Module
        The head.
    links : bool
        If True, the file may be a symbolic link.

    Raises
    ------
    ValueError
        If the file is another one or no safetensors file, or a tensor is
        missing, unexpected or misshapen.
    """
    check_shapes(read_shapes(path, links), encoder, classifier, path)
    content = read_regular(path, LARGEST[TENSORS], links)
    compare_digest(path, hashlib.sha256(content).hexdigest(), metadata)
    if len(content) != metadata["tensors"]["bytes"]:
        raise ValueError(
            f"'{printable(path)}' has {len(content):,} bytes, but "
            f"artefact.json says {metadata['tensors']['bytes']:,}."
        )
    try:
        tensors = load(content)
    except SafetensorError as error:
        raise ValueError(
            f"'{printable(path)}' is no safetensors file: {error}."
        ) from error
    head = {
        name.removeprefix(HEAD): tensors.pop(name)
        for name in list(tensors)
        if name.startswith(HEAD)
    }
    encoder.load_delta(tensors)
    classifier.load_state_dict(head)
