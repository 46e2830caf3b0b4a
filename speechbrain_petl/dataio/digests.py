"""SHA-256 of the files of a corpus, each of which is read once."""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from speechbrain_petl.utils.files import write_file

VARIABLE = "SPEECHBRAIN_PETL_CACHE"  # names the folder of caches
BLOCK = 1 << 20  # bytes read at once
THREADS = 8
# A file that was written this many nanoseconds ago or less may be written
# again within the resolution of its time stamps, so its digest is not kept.
SETTLED = 2_000_000_000


def cache_root() -> Path:
    """Returns the folder of what is computed once for all runs."""
    default = Path.home() / ".cache" / "speechbrain_petl"
    return Path(os.environ.get(VARIABLE) or default)


def digests_of(folder: str | Path, files: Iterable[str]) -> dict[str, str]:
    """Computes the SHA-256 of files, in several threads.

    Digests are kept in one file for each folder, beside the cache of clips
    (see ``WaveformCache``). A file is read again once its size, or one of its
    two times (of its content, of its inode), has changed. Where the cache
    cannot be written, every file is read at each call.

    Arguments
    ---------
    folder : str or Path
        The corpus.
    files : iterable of str
        Paths relative to the folder.

    Returns
    -------
    dict of str to str
        64 hexadecimal digits for each file, in the order of their paths.

    Raises
    ------
    OSError
        If a file cannot be read.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> _ = (folder / "a.wav").write_bytes(b"audio")
    >>> digests_of(folder, ["a.wav"])["a.wav"][:12]
    '6ed8919ce204'
    """
    folder = os.path.abspath(folder)
    name = hashlib.sha256(folder.encode()).hexdigest()[:32]
    kept_at = cache_root() / "digests" / f"{name}.json"
    kept = _read(kept_at)

    now = time.time_ns()
    found, unread = {}, []
    for path in sorted(set(files)):
        entry, state = kept.get(path), _state(os.path.join(folder, path))
        if isinstance(entry, list) and entry[:-1] == state:
            found[path] = entry
        else:
            unread.append((path, state))

    with ThreadPoolExecutor(THREADS) as pool:
        read = pool.map(
            lambda item: digest_of(os.path.join(folder, item[0])), unread
        )
        for (path, state), digest in zip(unread, read):
            found[path] = [*state, digest]
    settled = {
        path: entry
        for path, entry in found.items()
        if entry is not kept.get(path) and max(entry[1:3]) < now - SETTLED
    }
    if settled:
        with contextlib.suppress(OSError):
            kept_at.parent.mkdir(parents=True, exist_ok=True)
            write_file(str(kept_at), json.dumps({**kept, **settled}))
    return {path: found[path][-1] for path in sorted(found)}


def digest_of(file: str | Path) -> str:
    """Computes the SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _state(file):
    """Returns what changes whenever a file is written."""
    found = os.stat(file)
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _read(file):
    """Returns the digests that are kept; none if the file is damaged."""
    with contextlib.suppress(OSError, ValueError):
        kept = json.loads(file.read_text("utf-8"))
        if isinstance(kept, dict):
            return kept
    return {}
