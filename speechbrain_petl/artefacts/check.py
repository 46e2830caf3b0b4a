"""Reads an artefact's files, strictly: what is amiss raises, naming it."""

import hashlib
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from speechbrain_petl.artefacts.format import HEAD
from speechbrain_petl.dataio.labels import load_label_encoder
from speechbrain_petl.lobes.petl import PETLModel
from torch import nn


def load_tensors(
    path: str | Path, digest: str, encoder: PETLModel, classifier: nn.Module
) -> None:
    """Fills an encoder and a head from ``petl.safetensors``.

    Raises
    ------
    ValueError
        If the file is not the one with this SHA-256, no safetensors file, or a
        tensor is missing, unexpected or misshapen.
    """
    content = Path(path).read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise ValueError(
            f"'{path}' is not the file that belongs to this artefact: its "
            "SHA-256 is another. It was damaged or exchanged; fetch it again."
        )
    try:
        tensors = load(content)
    except SafetensorError as error:
        raise ValueError(
            f"'{path}' is no safetensors file: {error}."
        ) from error
    head = {
        name.removeprefix(HEAD): tensors.pop(name)
        for name in list(tensors)
        if name.startswith(HEAD)
    }
    encoder.load_delta(tensors)
    load_head(head, classifier)


@torch.no_grad()
def load_head(head: dict[str, torch.Tensor], classifier: nn.Module) -> None:
    """Fills a head; names and shapes have to be exactly its own.

    Raises
    ------
    ValueError
        If a tensor is missing, unexpected or misshapen.

    Example
    -------
    >>> load_head({"weight": torch.zeros(3, 2)}, nn.Linear(2, 3))
    Traceback (most recent call last):
    ...
    ValueError: The head does not fit: missing 'head.bias'.
    """
    own = classifier.state_dict()
    problems = [f"missing '{HEAD}{n}'" for n in own.keys() - head.keys()]
    problems += [f"unexpected '{HEAD}{n}'" for n in head.keys() - own.keys()]
    problems += [
        f"'{HEAD}{n}' of shape {tuple(head[n].shape)} instead of "
        f"{tuple(own[n].shape)}"
        for n in own.keys() & head.keys()
        if own[n].shape != head[n].shape
    ]
    if problems:
        raise ValueError(
            f"The head does not fit: {'; '.join(sorted(problems))}."
        )
    classifier.load_state_dict(head)


def check_labels(path: str | Path, metadata: dict) -> str:
    """Refuses a label map other than the one of the metadata; gives its path.

    Raises
    ------
    ValueError
        If it is missing, unreadable or another.
    """
    encoder = load_label_encoder(str(path))
    found = [encoder.ind2lab.get(i) for i in range(len(encoder))]
    if found != metadata["labels"]:
        raise ValueError(
            f"The label map '{path}' is not this artefact's: it has "
            f"{len(found)} labels ({', '.join(map(str, found[:3]))}, ...), "
            f"artefact.json {len(metadata['labels'])} "
            f"({', '.join(metadata['labels'][:3])}, ...)."
        )
    return str(path)
