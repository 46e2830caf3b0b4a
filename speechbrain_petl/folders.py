"""A folder that appears whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing_folder(folder: str | Path) -> Iterator[Path]:
    """Gives a temporary folder that takes the place of ``folder`` at the end.

    A folder that is already there is replaced only then; after an exception
    it is as it was, and the temporary one is gone.

    Arguments
    ---------
    folder : str or Path
        Where the files are to be in the end.

    Yields
    ------
    Path
        Where to write them, beside ``folder``.

    Example
    -------
    >>> target = getfixture("tmp_path") / "out"
    >>> with replacing_folder(target) as temporary:
    ...     _ = (temporary / "a.txt").write_text("whole")
    ...     target.exists()
    False
    >>> (target / "a.txt").read_text()
    'whole'
    """
    folder = Path(os.path.abspath(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    new, old = work / "new", work / "old"
    new.mkdir()
    try:
        yield new
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    except BaseException:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
