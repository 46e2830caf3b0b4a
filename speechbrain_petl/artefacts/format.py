"""The format of an artefact: its files, and the schema of its metadata."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from speechbrain_petl.artefacts.kinds import (
    Either,
    ListOf,
    MapOf,
    Maybe,
    Number,
    Plain,
    Record,
    Text,
)
from speechbrain_petl.artefacts.tasks import TASK, custom_code, task_misfits
from speechbrain_petl.utils.files import PACKAGE
from speechbrain_petl.utils.messages import printable
from speechbrain_petl.utils.regular_files import read_regular

FORMAT = PACKAGE
FORMAT_VERSION = 2
UNRELEASED = 1  # of before 0.1.0: its YAML names modules that have moved

# The files of an artefact, and most bytes of each; no other is sent or fetched.
METADATA = "artefact.json"
TENSORS = "petl.safetensors"
LABELS = "label_encoder.txt"
YAML = "hyperparams.yaml"
CARD = "README.md"
CUSTOM = "custom.py"
LARGEST = {
    METADATA: 2**23,
    TENSORS: 2**34,
    LABELS: 2**24,
    YAML: 2**16,
    CARD: 2**24,
    CUSTOM: 2**10,
}
FILES = tuple(LARGEST)

# How its YAML finds the backbone, an address that never changes
LOCATE = "!apply:speechbrain_petl.inference.locate"

LONGEST_CLIP = 2**14  # frames; attention costs its square
LONGEST_PROBE = 384_000  # samples
MOST_LABELS = 100_000
RATE = Number(1000, 384_000, whole=True)  # Hz
FRAMES = Number(1, LONGEST_CLIP, whole=True)
WINDOWS = Maybe(Number(1, 1000, whole=True))  # of a long clip
LARGE = Number(0, 10**15, whole=True)
# A folder's name, or an id of the hub: never a path.
SOURCE = Text(
    200,
    r"(?!\.{1,2}$)[^/\\:\x00-\x1f\x7f]+|[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*",
    "a folder's name or an id of the hub",
)
DIGEST = Text(64, r"[0-9a-f]{64}", "64 hexadecimal digits")
REVISION = Maybe(Text(200, r"[\w./-]+", "a branch, tag or commit"))
SIGNS = Text(MOST_LABELS, r"[01-]+", "a sign, 0, 1 or -, for each class")
PROTOTYPES = Record(
    {
        # An index, or a sign for each class, as the task has it
        "targets": ListOf(
            Either(Number(0, MOST_LABELS, whole=True), SIGNS), 10**6
        ),
        "width": Number(1, 10**5, whole=True),
        "embeddings": Text(LARGEST[METADATA]),
    }
)

SCHEMA = Record(
    {
        "format": Text(),
        "format_version": LARGE,
        "method": Text(),
        "trainable": MapOf(Text(), LARGE),
        "training": Record(
            {
                "corpus": Text(),
                "hyperparameters": MapOf(Text(), Plain()),
            },
            {
                "clips": MapOf(
                    Text(), Maybe(Record({"number": LARGE}, others=True))
                ),
                "data": Record(
                    {},
                    {
                        "folder": Text(),
                        "source_rate": RATE,
                        "whole_test": LARGE,
                    },
                    others=True,
                ),
                "selects": Text(),
                "direction": Text(8, "max|min", "max or min"),
            },
            others=True,
        ),
        "metrics": MapOf(Text(), Number(-1e30, 1e30)),
        "labels": ListOf(Text(), MOST_LABELS),
        "backbone": Record(
            {
                "source": SOURCE,
                "revision": REVISION,
                "fingerprint": DIGEST,
                "pooling": Text(),
            },
            others=True,
        ),
        "features": Record(
            {
                "sample_rate": RATE,
                "max_length": FRAMES,
            },
            {
                "mean": Number(-1e6, 1e6),
                "std": Number(1e-9, 1e6),
                "windows": WINDOWS,
            },
            others=True,
        ),
        "tensors": Record(
            {"sha256": DIGEST, "bytes": Number(8, LARGEST[TENSORS], True)}
        ),
        "probe": Record(
            {
                "seed": Number(0, 2**63, whole=True),
                "samples": Number(1, LONGEST_PROBE, whole=True),
                "tolerance": Number(1e-9, 0.01),
                "logits": ListOf(Number(-1e30, 1e30), MOST_LABELS, shortest=1),
            }
        ),
        "versions": MapOf(Text(), Text()),
    },
    {
        "task": TASK,
        "decision": MapOf(Text(), Plain()),
        # A best class less probable than that is none: see adapt/insights.py
        "unknown": Record({"threshold": Number(0, 1)}, others=True),
        # Embeddings of a few clips of each class: see adapt/prototypes.py
        "prototypes": Record({"train": PROTOTYPES, "valid": PROTOTYPES}),
    },
    others=True,
)


def read_metadata(path: str | Path, links: bool = False) -> dict[str, Any]:
    """Reads ``artefact.json`` and checks every key that anything reads.

    Arguments
    ---------
    path : str or Path
        The file.
    links : bool
        If True, the file may be a symbolic link, as in the hub's cache.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If it is missing, no JSON, of another format or a later version, or
        does not fit the schema.
    """
    name = printable(path)
    try:
        content = read_regular(path, LARGEST[METADATA], links)
    except FileNotFoundError as error:
        raise ValueError(
            f"There is no artefact: '{name}' is missing."
        ) from error
    try:
        metadata = json.loads(content)
        found = metadata["format"], metadata["format_version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"'{name}' is no artefact's metadata.") from error
    if found == (FORMAT, UNRELEASED) and type(found[1]) is int:
        raise ValueError(
            f"'{name}' has the format {FORMAT} {UNRELEASED}, of a development "
            "version before 0.1.0 whose modules have moved since: train it "
            "anew, or use that version."
        )
    if found[0] != FORMAT or not _is_known(found[1]):
        raise ValueError(
            f"'{name}' has the format {printable(found[0])} "
            f"{printable(found[1])}, but this version of the package reads "
            f"{FORMAT} up to {FORMAT_VERSION}: update it."
        )
    check_metadata(metadata, path)
    return metadata


def check_metadata(metadata: Mapping[str, Any], path: str | Path) -> None:
    """Refuses metadata that do not fit the schema, or one another.

    Raises
    ------
    ValueError
        Naming each key that does not fit.
    """
    problems = SCHEMA.misfits(metadata, "") or task_misfits(metadata)
    refuse(problems, path, "is no whole metadata of an artefact")


def refuse(problems: Sequence[str], path: str | Path, what: str) -> None:
    """Raises a ``ValueError`` of one sentence if there are problems."""
    if problems:
        more = len(problems) - 3
        listed = "; ".join(problems[:3])
        listed += f"; and {more} more" if more > 0 else ""
        raise ValueError(f"'{printable(path)}' {what}: {listed}.")


def label_map(labels: Sequence[str]) -> str:
    """Returns the content of ``label_encoder.txt``, SpeechBrain's label map.

    Example
    -------
    >>> print(label_map(["dog", "cat"]))
    'dog' => 0
    'cat' => 1
    ================
    'starting_index' => 0
    <BLANKLINE>
    """
    lines = [f"{label!r} => {index}\n" for index, label in enumerate(labels)]
    return "".join(lines) + "=" * 16 + "\n'starting_index' => 0\n"


def check_label_map(text: str, path: str | Path, labels: list[str]) -> None:
    """Refuses a label map other than the one of the metadata.

    Raises
    ------
    ValueError
        If it is not, to the letter, the map of these labels.
    """
    if text != label_map(labels):
        first = ", ".join(map(printable, labels[:3]))
        raise ValueError(
            f"The label map '{printable(path)}' is not this artefact's, whose "
            f"artefact.json has {len(labels)} labels ({first}, ...)."
        )


def check_custom_code(text: str, path: str | Path, task: str) -> None:
    """Refuses a ``custom.py`` other than that of every artefact of a task.

    Raises
    ------
    ValueError
        If a letter differs.
    """
    if text != custom_code(task):
        raise ValueError(
            f"'{printable(path)}' is not the file that every artefact has: it "
            "is code, and SpeechBrain's foreign_class would run it."
        )


def _is_known(version: object) -> bool:
    """Returns True if a version of the format can be read."""
    return type(version) is int and version <= FORMAT_VERSION
