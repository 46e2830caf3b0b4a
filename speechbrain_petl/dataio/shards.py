"""Shards: files of many tensors each, written whole, checked when read.

A shard is a safetensors file. Its metadata have a checksum of each tensor.
"""

import contextlib
import json
import os
import time
import uuid
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from speechbrain_petl.utils.files import replacing

SUFFIX = ".safetensors"
FRESH = 3600.0  # seconds for which another use is not recorded


def write_shard(folder: Path, tensors: Mapping[str, torch.Tensor]) -> Path:
    """Writes tensors into a new shard, whole or not at all.

    Arguments
    ---------
    folder : Path
        Where to; made if it is not there.
    tensors : mapping of str to torch.Tensor
        Tensors by name, on the CPU.

    Returns
    -------
    Path
        The file, which no other process writes to.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{uuid.uuid4().hex}{SUFFIX}"
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    sums = {name: checksum(tensor) for name, tensor in whole.items()}
    with replacing(file) as temporary:
        try:
            save_file(whole, temporary, {"crc32": json.dumps(sums)})
        except SafetensorError as error:
            raise OSError(str(error)) from error
    return file


class Shard:
    """A shard that is open, its tensors mapped from the file.

    Arguments
    ---------
    file : Path
        The file.

    Raises
    ------
    OSError
        If it is gone.
    ValueError
        If it is damaged.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> shard = Shard(write_shard(folder, {"a": torch.ones(2)}))
    >>> shard.names, shard.read("a")
    (frozenset({'a'}), tensor([1., 1.]))
    """

    def __init__(self, file: Path):
        self.file = file
        try:
            self._open = safe_open(file, "pt")
            self._sums = json.loads(self._open.metadata()["crc32"])
            self.names = frozenset(self._open.keys())
        except (SafetensorError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{file} is damaged: {error}") from error

    def read(self, name: str) -> torch.Tensor:
        """Returns a tensor."""
        return self._open.get_tensor(name)

    def is_whole(self, name: str) -> bool:
        """Returns True if a tensor has its checksum; reads all of it."""
        return checksum(self.read(name)) == self._sums.get(name)

    def use(self) -> None:
        """Notes that the shard was used just now."""
        with contextlib.suppress(OSError):  # gone, or somebody else's
            if time.time() - self.file.stat().st_mtime > FRESH:
                os.utime(self.file)


def checksum(tensor: torch.Tensor) -> int:
    """Computes the CRC-32 of a tensor's bytes.

    Example
    -------
    >>> checksum(torch.zeros(2)) == checksum(torch.ones(2))
    False
    """
    values: Any = tensor.contiguous().view(torch.uint8).numpy()
    return zlib.crc32(values)


def shrink(root: Path, max_bytes: float, keep: Iterable[Path]) -> None:
    """Removes the least recently used shards until the rest fits.

    Processes that have one open keep what they have.

    Arguments
    ---------
    root : Path
        Folder of folders of shards.
    max_bytes : float
        Size limit of all of them.
    keep : iterable of Path
        Files that stay.
    """
    found, kept = [], set(keep)
    for file in root.glob(f"*/*{SUFFIX}"):
        with contextlib.suppress(OSError):
            state = file.stat()
            found.append((state.st_mtime, state.st_size, file))
    size = sum(bytes_ for _, bytes_, _ in found)
    for _, bytes_, file in sorted(found):
        if size <= max_bytes:
            break
        if file not in kept:
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)
                size -= bytes_
