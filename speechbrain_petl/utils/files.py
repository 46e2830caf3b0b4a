"""Files and folders that appear whole or not at all."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """Gives a temporary file, which takes the place of ``file`` at the end.

    Nobody ever sees half a file under the final name.

    Arguments
    ---------
    file : Path
        What to replace, or create.

    Yields
    ------
    Path
        What to write to, in the same folder.
    """
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        yield temporary
        os.replace(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)


def write_file(path: str, content: str | bytes) -> None:
    """Writes a file, whole or not at all."""
    if isinstance(content, str):
        content = content.encode("utf-8")
    with replacing(Path(path)) as temporary:
        temporary.write_bytes(content)


def write_json(file: Path, manifest: Mapping[str, dict]) -> None:
    """Writes a manifest.

    Arguments
    ---------
    file : Path
        The file to write.
    manifest : dict of str to dict
        The entries by id.
    """
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    with replacing(file) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(file: str | Path) -> dict:
    """Reads a JSON file that holds a mapping.

    Arguments
    ---------
    file : str or Path
        The file.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If it is missing, damaged or holds something else.

    Example
    -------
    >>> file = getfixture("tmp_path") / "a.json"
    >>> _ = file.write_text("")
    >>> read_json(file)
    Traceback (most recent call last):
    ...
    ValueError: '...a.json' is damaged: it should hold a mapping in JSON.
    """
    try:
        found = json.loads(Path(file).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError(f"There is no file '{file}'.") from error
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ValueError(
            f"'{file}' is damaged: it should hold a mapping in JSON."
        )
    return found


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
    with swapping_folder(folder) as new:
        yield new


@contextmanager
def swapping_folder(folder: str | Path) -> Iterator[Path]:
    """Like ``replacing_folder``, for callers that know what they replace.

    Arguments
    ---------
    folder : str or Path
        Where the files are to be in the end.

    Yields
    ------
    Path
        Where to write them, beside ``folder``.
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


def climbs_out(path: str) -> bool:
    """Whether a relative path, of any system, leads out of its folder.

    Arguments
    ---------
    path : str
        A path that should be relative.

    Returns
    -------
    bool

    Example
    -------
    >>> climbs_out("audio/a.wav"), climbs_out("../a.wav"), climbs_out("C:/a")
    (False, True, True)
    """
    return any(
        flavour(path).anchor or ".." in flavour(path).parts
        for flavour in (PurePosixPath, PureWindowsPath)
    )
