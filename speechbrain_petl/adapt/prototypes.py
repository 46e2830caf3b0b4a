"""Embeddings of a few clips of each class, kept with an artefact.

They stand for the clips themselves when more classes are learned later. As
numbers of 16 bits they take 3 kB a class at width 768 and two clips, and in
all at most ``MOST_BYTES``: of many classes, each has fewer.
"""

import base64
import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from speechbrain_petl.adapt.task import Given, Task

PER_CLASS = {"train": 16, "valid": 8}  # to replay, and to measure with
MOST_BYTES = 2_000_000  # of a split: what an artefact says of itself is bounded


def draw(members: Sequence[Sequence[int]], most: int, seed: int) -> list[int]:
    """Draws so many clips of each class, or all that there are.

    Arguments
    ---------
    members : sequence of sequence of int
        The clips of each class, see ``Task.members``.
    most : int
        How many of each.
    seed : int
        Seed of the draws.

    Returns
    -------
    list of int
        Each clip once.

    Example
    -------
    >>> draw([[0, 1, 2], [2, 3]], most=1, seed=0)
    [1, 3]
    """
    rng = random.Random(seed)
    drawn = (rng.sample(rows, min(most, len(rows))) for rows in members)
    return sorted({row for rows in drawn for row in rows})


def thin(clips: Given, task: Task, seed: int, most: int = MOST_BYTES) -> Given:
    """Returns so many clips of each class that all are not too large.

    Arguments
    ---------
    clips : Given
        Stored clips.
    task : Task
        One label a clip, or several.
    seed : int
        Seed of the draws.
    most : int
        Bytes of their numbers.

    Returns
    -------
    Given
        The same, if they are few enough.
    """
    members, limit = task.members(clips.y), most // (2 * clips.x.shape[1])
    rows, each = list(range(len(clips.y))), max(map(len, members))
    while len(rows) > limit and each:
        rows = draw(members, each, seed)
        each -= 1
    return Given(clips.x[rows[:limit]], clips.y[rows[:limit]])


def pack(clips: Given, task: Task) -> dict[str, Any]:
    """Returns stored clips as data for JSON."""
    halves = clips.x.numpy().astype("<f2")
    if not np.isfinite(halves).all():
        halves = np.nan_to_num(halves)
    return {
        "targets": task.pack(clips.y),
        "width": clips.x.shape[1],
        "embeddings": base64.b64encode(halves.tobytes()).decode(),
    }


def unpack(packed: Mapping[str, Any], n_classes: int, task: Task) -> Given:
    """Returns the stored clips of ``pack``.

    Raises
    ------
    ValueError
        If numbers are missing, or a class is none.

    Example
    -------
    >>> from speechbrain_petl.adapt.one_label import OneLabel
    >>> clips, task = Given(torch.eye(2), torch.tensor([0, 1])), OneLabel()
    >>> [part.tolist() for part in unpack(pack(clips, task), 2, task)]
    [[[1.0, 0.0], [0.0, 1.0]], [0, 1]]
    """
    try:
        y = task.unpack(packed["targets"], n_classes)
        content = base64.b64decode(packed["embeddings"], validate=True)
        values = np.frombuffer(content, "<f2").astype(np.float32)
        x = torch.from_numpy(values.reshape(len(y), packed["width"]))
        if not (len(x) and x.isfinite().all()):
            raise ValueError("There is no clip, or not all of it is finite.")
    except ValueError as error:
        raise ValueError(
            "The stored prototypes of the artefact are damaged."
        ) from error
    return Given(x, y)
