"""The format of an artefact: its files, its metadata and their kinds."""

import json
from pathlib import Path

FORMAT = "speechbrain-petl"
FORMAT_VERSION = 1
HEAD = "head."  # before the names of the head's tensors
LONGEST_PROBE = 10_000_000  # samples
# The files of an artefact; nothing else is sent or fetched.
FILES = (
    "artefact.json",
    "petl.safetensors",
    "label_encoder.txt",
    "hyperparams.yaml",
    "README.md",
    "custom.py",
)
# What loading reads of artefact.json, and of what kinds it is
KINDS = {
    "labels": list,
    "backbone": {
        "source": str,
        "revision": str | None,
        "fingerprint": str,
    },
    "tensors": {"sha256": str},
    "probe": {
        "seed": int,
        "samples": int,
        "tolerance": float,
        "logits": list,
    },
}


def read_metadata(path: str | Path) -> dict:
    """Reads ``artefact.json``.

    Raises
    ------
    ValueError
        If it is missing, no JSON, of another format or a later version, or
        lacks something.
    """
    try:
        metadata = json.loads(Path(path).read_text("utf-8"))
        found = metadata["format"], metadata["format_version"]
    except FileNotFoundError as error:
        raise ValueError(
            f"There is no artefact: '{path}' is missing."
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"'{path}' is no artefact's metadata.") from error
    if found[0] != FORMAT or found[1] > FORMAT_VERSION:
        raise ValueError(
            f"'{path}' has the format {found[0]} {found[1]}, but this version "
            f"of the package reads {FORMAT} up to {FORMAT_VERSION}: update it."
        )
    wrong = _misfits(metadata, KINDS)
    if not wrong and not all(isinstance(x, str) for x in metadata["labels"]):
        wrong = ["labels"]
    if not wrong and not 0 < metadata["probe"]["samples"] <= LONGEST_PROBE:
        wrong = ["probe.samples"]
    if wrong:
        raise ValueError(
            f"'{path}' is no whole metadata of an artefact: {', '.join(wrong)} "
            "is missing or of another kind."
        )
    return metadata


def _misfits(found, kinds):
    """Names what a mapping lacks or has of another kind."""
    names = []
    for key, kind in kinds.items():
        value = found.get(key, ...)
        if not isinstance(kind, dict):
            names += [] if isinstance(value, kind) else [key]
        elif isinstance(value, dict):
            names += [f"{key}.{name}" for name in _misfits(value, kind)]
        else:
            names.append(key)
    return names
