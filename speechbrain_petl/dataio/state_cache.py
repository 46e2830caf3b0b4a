"""States of clips on disk, computed once for all runs.

Any number of processes, on any number of machines with access to the folder,
may fill and read it at once. Clips are dealt into blocks by their keys; who
computes a block has its lock, and looks before it begins for what others have
written meanwhile. A lock ends with its process, however that ends.
"""

import contextlib
import hashlib
import json
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from speechbrain_petl.dataio.digests import cache_root
from speechbrain_petl.dataio.shards import SUFFIX, Shard, shrink, write_shard
from speechbrain_petl.utils.files import write_file

logger = logging.getLogger(__name__)
# It would tell of each look at a block.
logging.getLogger("filelock").setLevel(logging.WARNING)

FORMAT = 1  # of the folder and its keys
SHARD_BYTES = 64e6  # at most so much is lost when a process is killed
SLACK = 0.05  # fraction of the size limit written between two checks of it
BLOCK_CLIPS = 256
BLOCKS = (4, 256)  # fewest and most
PAUSE = 0.2  # seconds between looks at blocks that others compute

Compute = Callable[[list[str]], Iterator[tuple[str, torch.Tensor]]]


class StateCache:
    """States of one kind, by the keys of clips.

    Arguments
    ---------
    kind : mapping
        All that decides what the states are, apart from the clip, in values
        that JSON has. Each kind has a folder of its own.
    max_gb : float
        Size limit, in 10^9 bytes, of the states of all kinds, beyond which
        the least recently used files are removed. 0 keeps states in memory.
    folder : str or Path, optional
        Folder of all kinds; ``states`` in ``cache_root()`` by default.

    Example
    -------
    >>> cache = StateCache({"cut": "layer 3"}, 1.0, getfixture("tmp_path"))
    >>> cache.fill(["a"], lambda keys: ((k, torch.ones(2)) for k in keys))
    1
    >>> cache.fill(["a"], lambda keys: 1 / 0)
    0
    >>> cache.read("a")
    tensor([1., 1.])
    """

    def __init__(
        self,
        kind: Mapping[str, Any],
        max_gb: float,
        folder: str | Path | None = None,
    ):
        self.root = Path(folder or cache_root() / "states")
        text = json.dumps({"format": FORMAT, **kind}, sort_keys=True, indent=2)
        name = hashlib.sha256(text.encode()).hexdigest()[:32]
        self.folder = self.root / name
        self.max_bytes = max_gb * 1e9
        self._text = text
        self._shards: dict[str, Shard | None] = {}  # None: damaged
        self._where: dict[str, Shard] = {}
        self._memory: dict[str, torch.Tensor] = {}
        self._unseen = 0.0  # bytes written since the last look
        self._on_disk = max_gb > 0
        self._suffix = ""

    def read(self, key: str, *others: str) -> torch.Tensor:
        """Returns the states of a clip that ``fill`` has found or computed.

        Arguments
        ---------
        key, *others : str
            Names that they may have; the first that is there counts.
        """
        for name in (key, *others):
            if name in self._memory:
                return self._memory[name]
            if name in self._where:
                return self._where[name].read(name)
        raise KeyError(key)

    def fill(
        self, keys: Sequence[str], compute: Compute, suffix: str = ""
    ) -> int:
        """Sees to it that ``read`` has the states of clips.

        Arguments
        ---------
        keys : sequence of str
            Keys of the clips.
        compute : callable
            Yields key and states, on the CPU, of each of some clips.
        suffix : str
            States may also be found, and are yielded then, under a key with
            this behind it.

        Returns
        -------
        int
            Number of clips that were computed here.

        Raises
        ------
        ValueError
            If the states of these clips exceed the size limit.
        """
        wanted = list(dict.fromkeys(keys))
        self._suffix = suffix
        self._look(wanted)
        waiting: dict[int, list[str]] = {}
        n_blocks = _count_blocks(len(wanted))
        for key in wanted:
            if not self._has(key):
                waiting.setdefault(_block(key, n_blocks), []).append(key)
        # Each process begins elsewhere.
        turn = deque(sorted(waiting))
        turn.rotate(os.getpid())
        computed = tried = 0
        while turn:
            block = turn[0]
            with self._claim(f"{n_blocks}-{block}") as mine:
                if mine:
                    self._look(waiting[block])
                    rest = [k for k in waiting[block] if not self._has(k)]
                    computed += self._compute(rest, compute, len(wanted))
                    turn.popleft()
                    tried = 0
                    continue
            turn.rotate(-1)
            tried += 1
            if tried >= len(turn):
                time.sleep(PAUSE)
                tried = 0
        for shard in {id(s): s for s in self._where.values()}.values():
            shard.use()
        return computed

    def _has(self, key):
        """Returns True if the states of a clip are there."""
        names = (key, key + self._suffix)
        return any(n in self._memory or n in self._where for n in names)

    def _look(self, keys):
        """Finds out which of some clips are on disk, whole."""
        if not self._on_disk:
            return
        for file in sorted(self.folder.glob(f"*{SUFFIX}")):
            if file.name not in self._shards:
                self._shards[file.name] = self._open(file)
        missing = [
            name
            for key in keys
            if not self._has(key)
            for name in {key, key + self._suffix}
        ]
        for shard in [s for s in self._shards.values() if s is not None]:
            for key in shard.names.intersection(missing):
                if shard.is_whole(key):
                    self._where[key] = shard
                else:
                    self._discard(shard.file, "a checksum is wrong")
                    break

    def _open(self, file):
        """Returns a shard, None if it is damaged or gone."""
        try:
            return Shard(file)
        except ValueError as error:
            self._discard(file, str(error))
        except OSError:  # removed meanwhile
            pass
        return None

    def _discard(self, file, why):
        """Removes a damaged shard, whose clips are computed again."""
        logger.warning(
            "%s is damaged and is computed again: %s", file.name, why
        )
        self._shards[file.name] = None
        self._where = {k: s for k, s in self._where.items() if s.file != file}
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _claim(self, name):
        """Yields True if a block is this process's to compute."""
        lock = None
        if self._on_disk:
            try:
                if not (self.folder / "kind.json").exists():
                    self.folder.mkdir(parents=True, exist_ok=True)
                    write_file(str(self.folder / "kind.json"), self._text)
                (self.folder / "locks").mkdir(exist_ok=True)
                lock = FileLock(self.folder / "locks" / name)
                lock.acquire(timeout=0)
            except Timeout:
                yield False
                return
            except (OSError, NotImplementedError) as error:
                self._give_up(error)
                lock = None
        try:
            yield True
        finally:
            if lock is not None:
                lock.release()

    def _give_up(self, error):
        """Keeps states in memory from here on."""
        logger.warning(
            "States cannot be stored in %s (%s), and are kept in memory for "
            "this run alone.",
            self.folder,
            error,
        )
        self._on_disk = False

    def _compute(self, keys, compute, n_wanted):
        """Computes and stores the states of clips; returns how many."""
        buffer: dict[str, torch.Tensor] = {}
        size = 0
        for key, states in compute(keys) if keys else ():
            n_bytes = states.numel() * states.element_size()
            if self._on_disk and n_bytes * n_wanted > self.max_bytes:
                raise ValueError(
                    f"The states of {n_wanted:,} clips take "
                    f"{n_bytes * n_wanted / 1e9:.1f} GB, but states_gb is "
                    f"{self.max_bytes / 1e9:g}: raise it, store bf16, let "
                    "training begin at a later layer, or set stored_states "
                    "to null."
                )
            buffer[key] = states
            size += n_bytes
            if size > SHARD_BYTES:
                self._write(buffer)
                buffer, size = {}, 0
        self._write(buffer)
        return len(keys)

    def _write(self, tensors):
        """Writes a shard; keeps in memory what the disk does not take."""
        if not tensors:
            return
        if self._on_disk:
            try:
                shard = Shard(write_shard(self.folder, tensors))
            except OSError as error:
                self._give_up(error)
            else:
                self._shards[shard.file.name] = shard
                self._where.update(dict.fromkeys(tensors, shard))
                self._unseen += shard.file.stat().st_size
                if self._unseen > SLACK * self.max_bytes:
                    self._unseen = 0.0
                    mine = {s.file for s in self._where.values()}
                    shrink(self.root, self.max_bytes, mine)
                return
        self._memory.update(tensors)


def _count_blocks(n_clips: int) -> int:
    """Returns a power of two, so that runs on splits of a corpus agree."""
    fewest, most = BLOCKS
    wanted = max(1, n_clips // BLOCK_CLIPS)
    return min(most, max(fewest, 1 << (wanted.bit_length() - 1)))


def _block(key: str, n_blocks: int) -> int:
    """Returns the block of a clip, by the first digits of a digest."""
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) % n_blocks
