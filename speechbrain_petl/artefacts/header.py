"""``petl.safetensors`` as a file: its digest, and which tensors it names.

None of the tensors is read, so that torch is not needed.
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path

from speechbrain_petl.artefacts.format import LARGEST, TENSORS
from speechbrain_petl.utils.messages import printable
from speechbrain_petl.utils.regular_files import open_regular

LONGEST_HEADER = 2**22  # bytes
CHUNK = 2**20  # bytes


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
    compare_digest(path, digest.hexdigest(), metadata)


def compare_digest(path: str | Path, digest: str, metadata: Mapping) -> None:
    """Raises a ``ValueError`` if a file's SHA-256 is not the recorded one."""
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
