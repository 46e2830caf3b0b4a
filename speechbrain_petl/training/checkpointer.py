"""WholeCheckpointer: a checkpoint is there whole, or it is not there."""

import json
import logging
import os
import shutil
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechbrain_petl.utils.files import read_json

from speechbrain.utils.checkpoints import METAFNAME, Checkpoint, Checkpointer
from speechbrain.utils.distributed import (
    ddp_barrier,
    if_main_process,
    run_on_main,
)

logger = logging.getLogger(__name__)

PARTIAL = "PARTIAL-"
SEAL = "CKPT.files.json"  # size and CRC-32 of each file of a checkpoint
CHUNK = 2**24


class WholeCheckpointer(Checkpointer):
    """SpeechBrain's ``Checkpointer``, proof against kills and power cuts.

    A checkpoint is written under another name, flushed to the disk and
    renamed when it is whole. (SpeechBrain writes the file by which it knows a
    checkpoint before all others, so that a run killed in between finds a
    broken one and stops.) One that is damaged all the same is skipped with a
    warning, and the one before it is used. Checkpoints are ordered by a
    counter in their metadata, ``number``, since a clock may be set back.

    Arguments
    ---------
    See ``speechbrain.utils.checkpoints.Checkpointer``.

    Example
    -------
    >>> import torch
    >>> folder = getfixture("tmp_path")
    >>> checkpointer = WholeCheckpointer(folder, {"m": torch.nn.Linear(1, 1)})
    >>> checkpoint = checkpointer.save_checkpoint()
    >>> checkpoint.path.name.startswith("CKPT+"), checkpoint.path.is_dir()
    (True, True)
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._known: dict[Path, tuple[bytes, Checkpoint]] = {}
        self._warned: set[Path] = set()

    def save_checkpoint(
        self, meta: Mapping[str, Any] | None = None, **kwargs
    ) -> Checkpoint | None:
        """Like ``Checkpointer.save_checkpoint``, but atomic.

        Runs on every process; the main one returns the checkpoint.
        """
        run_on_main(self._remove_partial)
        meta = dict(meta or {})
        if if_main_process():
            numbers = [c.meta["number"] for c in self.list_checkpoints()]
            meta["number"] = max(numbers, default=0) + 1
        checkpoint = super().save_checkpoint(meta, **kwargs)
        if checkpoint is not None:
            seal(checkpoint.path)
            whole = checkpoint.path.with_name(
                checkpoint.path.name.removeprefix(PARTIAL)
            )
            checkpoint.path.rename(whole)
            _flush_folder(whole.parent)
            checkpoint = checkpoint._replace(
                path=whole,
                paramfiles={
                    name: whole / file.name
                    for name, file in checkpoint.paramfiles.items()
                },
            )
        ddp_barrier()
        return checkpoint

    def save_and_keep_only(self, *args, importance_keys=(), **kwargs) -> None:
        """Like ``Checkpointer.save_and_keep_only``, with a list of its own.

        SpeechBrain's calls without ``importance_keys`` share one list, and
        add recency to it: one call with ``keep_recent`` changes what all
        later calls of the process keep.
        """
        super().save_and_keep_only(
            *args, importance_keys=list(importance_keys), **kwargs
        )

    def list_checkpoints(self) -> list[Checkpoint]:
        """Returns the checkpoints that are whole, as far as sizes tell."""
        whole = []
        for folder in sorted(self.checkpoints_dir.glob("CKPT+*")):
            problem = damage(folder, contents=False)
            if problem is None:
                whole.append(folder)
            else:
                self._warn(folder, problem)
        # Reading their YAML again takes longer than an epoch on stored states.
        seals = {folder: (folder / SEAL).read_bytes() for folder in whole}
        known = {
            folder: (seal, checkpoint)
            for folder, (seal, checkpoint) in self._known.items()
            if seal == seals.get(folder)
        }
        new = [folder for folder in whole if folder not in known]
        for checkpoint in self._construct_checkpoint_objects(new):
            # SpeechBrain orders by this key.
            checkpoint.meta["unixtime"] = checkpoint.meta["number"]
            known[checkpoint.path] = (seals[checkpoint.path], checkpoint)
        self._known = known
        found = [known[folder][1] for folder in whole]
        return [one._replace(meta=dict(one.meta)) for one in found]

    def recover_if_possible(self, *args, **kwargs) -> Checkpoint | None:
        """Like ``Checkpointer.recover_if_possible``, past damaged ones.

        Returns
        -------
        Checkpoint or None
            The first of ``find_checkpoints`` whose files are as written.
        """
        for checkpoint in self.find_checkpoints(*args, **kwargs):
            problem = damage(checkpoint.path)
            if problem is None:
                self.load_checkpoint(checkpoint)
                return checkpoint
            self._warn(checkpoint.path, problem)
        logger.info("There is no checkpoint to load.")
        return None

    def _warn(self, folder, problem):
        """Logs once that a checkpoint is skipped."""
        if folder not in self._warned:
            logger.warning(
                f"The checkpoint '{folder}' is skipped, and an earlier one is "
                f"used if there is one: {problem}. Remove the folder to end "
                "this warning."
            )
        self._warned.add(folder)

    def _remove_partial(self):
        """Removes what a killed run left."""
        for folder in self.checkpoints_dir.glob(f"{PARTIAL}*"):
            shutil.rmtree(folder)

    def _new_checkpoint_dirpath(self):
        path = super()._new_checkpoint_dirpath()
        return path.with_name(PARTIAL + path.name)

    def _custom_checkpoint_dirpath(self, name):
        path = super()._custom_checkpoint_dirpath(name)
        return path.with_name(PARTIAL + path.name)


def seal(folder: Path) -> None:
    """Lists a folder's files with sizes and checksums; flushes all to disk."""
    files = sorted(folder.iterdir())
    listing = {f.name: [f.stat().st_size, checksum(f)] for f in files}
    (folder / SEAL).write_text(json.dumps(listing, indent=1), "utf-8")
    for file in [*files, folder / SEAL]:
        with file.open("rb+") as opened:
            os.fsync(opened.fileno())
    _flush_folder(folder)


def damage(folder: Path, contents: bool = True) -> str | None:
    """Compares a checkpoint with its own listing.

    Arguments
    ---------
    folder : Path
        Folder of the checkpoint.
    contents : bool
        If True, compares checksums of all files. If False, compares sizes,
        and the checksum of the metadata only.

    Returns
    -------
    str or None
        What is damaged, None if nothing is.
    """
    try:
        listing = read_json(folder / SEAL)
    except ValueError as error:
        return f"its list of files is missing or damaged: {error}"
    for name, (size, expected) in listing.items():
        file = folder / name
        if not file.is_file() or file.stat().st_size != size:
            return f"{name} is missing or not whole"
        if (contents or name == METAFNAME) and checksum(file) != expected:
            return f"{name} is damaged"
    return None


def checksum(file: Path) -> int:
    """Returns the CRC-32 of a file."""
    value = 0
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            value = zlib.crc32(chunk, value)
    return value


def _flush_folder(folder):
    """Makes new and changed names in a folder last; Windows cannot."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
