"""Embeddings of a few clips of each class, kept with an artefact.

They stand for the clips themselves when more classes are learned later. As
numbers of 16 bits they take 3 kB a class at width 768 and two clips.
"""

import base64
import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

PER_CLASS = {"train": 16, "valid": 8}  # to replay, and to measure with


def draw(targets: Sequence[int], most: int, seed: int) -> list[int]:
    """Draws so many clips of each class, or all that there are.

    Example
    -------
    >>> draw([0, 0, 0, 1], most=1, seed=0)
    [1, 3]
    """
    rows: dict[int, list[int]] = {}
    for row, target in enumerate(targets):
        rows.setdefault(target, []).append(row)
    rng = random.Random(seed)
    return sorted(
        row
        for target in sorted(rows)
        for row in rng.sample(rows[target], min(most, len(rows[target])))
    )


def pack(embeddings: torch.Tensor, targets: torch.Tensor) -> dict[str, Any]:
    """Returns embeddings [N, d] and their classes [N] as data for JSON."""
    halves = embeddings.numpy().astype("<f2")
    if not np.isfinite(halves).all():
        halves = np.nan_to_num(halves)
    return {
        "targets": targets.tolist(),
        "width": embeddings.shape[1],
        "embeddings": base64.b64encode(halves.tobytes()).decode(),
    }


def unpack(
    packed: Mapping[str, Any], n_classes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns embeddings [N, d] and their classes [N] of ``pack``.

    Raises
    ------
    ValueError
        If numbers are missing, or a class is none.

    Example
    -------
    >>> x, y = torch.eye(2), torch.tensor([0, 1])
    >>> [part.tolist() for part in unpack(pack(x, y), 2)]
    [[[1.0, 0.0], [0.0, 1.0]], [0, 1]]
    """
    targets = torch.tensor(packed["targets"], dtype=torch.long)
    try:
        content = base64.b64decode(packed["embeddings"], validate=True)
        values = np.frombuffer(content, "<f2").astype(np.float32)
        x = torch.from_numpy(values.reshape(len(targets), packed["width"]))
    except ValueError as error:
        raise ValueError(
            "The stored prototypes of the artefact are damaged."
        ) from error
    fits = len(targets) and 0 <= targets.min() and targets.max() < n_classes
    if not (fits and x.isfinite().all()):
        raise ValueError("The stored prototypes of the artefact are damaged.")
    return x, targets
