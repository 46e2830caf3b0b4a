"""Locks of folders: one process at a time works in a cell.

A lock is of the file system (``flock``), not a file that is there or not: it
is gone with the last process that holds it, however that ends. The process of
a run inherits the lock of the runner that starts it, and holds it on when the
runner is killed. Windows has nothing of the kind.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def require_unix() -> None:
    """Raises an error where there are no such locks.

    Raises
    ------
    ValueError
        On Windows.
    """
    if fcntl is None:
        raise ValueError(
            "Running experiments needs Linux or macOS, as Windows has no locks "
            "that a run inherits from its runner: use WSL. Tables, figures and "
            "reports of finished runs can be made here."
        )


@contextmanager
def lock_of(folder: Path) -> Iterator[IO | None]:
    """Holds the lock of a folder, at most as long as this process lives.

    Arguments
    ---------
    folder : Path
        Folder that only one process may work in.

    Yields
    ------
    file or None
        The lock; None if another process holds it.

    Raises
    ------
    ValueError
        On Windows.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> with lock_of(folder) as mine, lock_of(folder) as other:
    ...     mine is None, other is None, is_running(folder)
    (False, True, True)
    >>> is_running(folder)
    False
    """
    require_unix()
    with open(folder / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield lock


def is_running(folder: str | Path) -> bool:
    """Returns True if some process, here or elsewhere, has a folder's lock.

    Arguments
    ---------
    folder : str or Path
        Folder of a cell.

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        On Windows.
    """
    require_unix()
    try:
        with open(Path(folder) / ".lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
