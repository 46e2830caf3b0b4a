"""Files of unknown origin: read only if they are plain files of bounded size."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from speechbrain_petl.utils.messages import printable


@contextmanager
def open_regular(
    path: str | Path, longest: int, links: bool = False
) -> Iterator[BinaryIO]:
    """Opens a file of unknown origin for reading.

    Never waits for a pipe and never touches a device.

    Arguments
    ---------
    path : str or Path
        The file.
    longest : int
        Most bytes that it may have.
    links : bool
        If True, follows a symbolic link.

    Yields
    ------
    binary file

    Raises
    ------
    FileNotFoundError
        If there is nothing.
    ValueError
        If it is a link, no regular file, or larger.

    Example
    -------
    >>> path = getfixture("tmp_path") / "a"
    >>> _ = path.write_bytes(b"1234")
    >>> with open_regular(path, longest=3) as file:
    ...     file.read()
    Traceback (most recent call last):
    ...
    ValueError: '...' has 4 bytes, more than the 3 that such a file may have.
    """
    name = printable(path)
    look = os.stat if links else os.lstat
    if stat.S_ISLNK(look(path).st_mode):
        raise ValueError(
            f"'{name}' is a symbolic link, which is not followed here: put the "
            "file itself in its place."
        )
    if not stat.S_ISREG(look(path).st_mode):
        raise ValueError(
            f"'{name}' is a folder, a pipe or a device: a regular file should "
            "be there."
        )
    # Whatever takes its place meanwhile is neither waited for nor followed.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
    flags |= getattr(os, "O_BINARY", 0)
    flags |= 0 if links else getattr(os, "O_NOFOLLOW", 0)
    with open(os.open(path, flags), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise ValueError(f"'{name}' is no regular file any more.")
        if found.st_size > longest:
            raise ValueError(
                f"'{name}' has {found.st_size:,} bytes, more than the "
                f"{longest:,} that such a file may have."
            )
        yield file


def read_regular(path: str | Path, longest: int, links: bool = False) -> bytes:
    """Reads a file of unknown origin; arguments as of ``open_regular``."""
    with open_regular(path, longest, links) as file:
        # Not as many as there may be: Python would make room for all of them.
        return file.read(os.fstat(file.fileno()).st_size)
