"""``petl.safetensors``: what is in it, and how it gets into modules."""

import hashlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from speechbrain_petl.artefacts.format import LARGEST, TENSORS, refuse
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.utils.messages import mismatches, printable
from speechbrain_petl.utils.regular_files import open_regular, read_regular
from torch import nn

HEAD = "head."  # before the names of the head's tensors
LONGEST_HEADER = 2**22  # bytes
CHUNK = 2**20  # bytes


def tensors_of(
    encoder: PETLModel, classifier: nn.Module
) -> dict[str, torch.Tensor]:
    """Returns what is saved: the encoder's delta, the head under ``head.``."""
    head = classifier.state_dict().items()
    return {**encoder.delta(), **{HEAD + name: t for name, t in head}}


def check_digest(
    path: str | Path, metadata: Mapping, links: bool = False
) -> None:
    """Refuses a file other than the one that the metadata describe.

    Raises
    ------
    ValueError
        If its SHA-256 is another.
    """
    digest = hashlib.sha256()
    with open_regular(path, LARGEST[TENSORS], links) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    _compare_digest(path, digest.hexdigest(), metadata)


def _compare_digest(path, digest, metadata):
    """Raises if a file's SHA-256 is not the recorded one."""
    if digest != metadata["tensors"]["sha256"]:
        raise ValueError(
            f"'{printable(path)}' is not the file that belongs to this "
            "artefact: its SHA-256 is another. It was damaged or exchanged; "
            "fetch it again."
        )


def read_shapes(
    path: str | Path, links: bool = False
) -> dict[str, tuple[int, ...]]:
    """Reads the names and shapes of the tensors; none of the tensors.

    Raises
    ------
    ValueError
        If it is no safetensors file.
    """
    with open_regular(path, LARGEST[TENSORS], links) as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= LONGEST_HEADER:
            raise ValueError(f"'{printable(path)}' is no safetensors file.")
        header = file.read(length)
    try:
        found = json.loads(header)
        return {
            name: tuple(int(size) for size in one["shape"])
            for name, one in found.items()
            if name != "__metadata__"
        }
    except (
        AttributeError,
        KeyError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise ValueError(
            f"'{printable(path)}' is no safetensors file: its header cannot "
            "be read."
        ) from error


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
    _compare_digest(path, hashlib.sha256(content).hexdigest(), metadata)
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
