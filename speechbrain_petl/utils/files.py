"""Files and folders that appear whole or not at all."""

import fnmatch
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

from speechbrain_petl.utils.messages import printable

PACKAGE = "speechbrain-petl"  # "format" in the JSON that marks our folders
LONGEST_MARK = 2**26  # bytes


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
        return file.read(longest)


@contextmanager
def replacing_folder(
    folder: str | Path, mark: str, names: Collection[str]
) -> Iterator[Path]:
    """Gives a temporary folder that takes the place of ``folder`` at the end.

    Only a folder that is absent, empty or of the same kind is replaced. It is
    so only at the end; after an exception it is as it was, and the temporary
    one is gone.

    Arguments
    ---------
    folder : str or Path
        Where the files are to be in the end.
    mark : str
        Name of the JSON file, written among the others, that says that a
        folder is of this kind: ``{"format": "speechbrain-petl", ...}``.
    names : collection of str
        Patterns (as of ``fnmatch``) of all the files of this kind.

    Yields
    ------
    Path
        Where to write them, beside ``folder``.

    Raises
    ------
    ValueError
        If there is something else in the folder, naming it.

    Example
    -------
    >>> target = getfixture("tmp_path") / "out"
    >>> with replacing_folder(target, "a.json", ["a.json"]) as temporary:
    ...     _ = (temporary / "a.json").write_text('{"format": "x"}')
    ...     target.exists()
    False
    >>> (target / "a.json").read_text()
    '{"format": "x"}'
    >>> with replacing_folder(target, "a.json", ["a.json"]) as temporary:
    ...     pass
    Traceback (most recent call last):
    ...
    ValueError: '...out' holds 'a.json', which is not to be replaced: ...
    """
    _check_own(folder, mark, names)
    with swapping_folder(folder) as new:
        yield new
        _check_own(folder, mark, names)


def _check_own(folder, mark, names):
    """Refuses a folder that holds anything that was not written here."""
    folder = Path(os.path.realpath(folder))
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise ValueError(f"'{printable(folder)}' is a file: name a folder.")
    present = sorted(entry.name for entry in os.scandir(folder))
    foreign = [
        name
        for name in present
        if not any(fnmatch.fnmatchcase(name, known) for known in names)
        or not (folder / name).is_file()
    ]
    if present and not foreign and not _is_marked(folder / mark):
        foreign = present
    if foreign:
        raise ValueError(
            f"'{printable(folder)}' holds '{printable(foreign[0])}', which is "
            "not to be replaced: name a folder that is absent, empty, or "
            "written by this command before."
        )


def _is_marked(path):
    """Whether a JSON file says that its folder was written here."""
    try:
        content = json.loads(read_regular(path, LONGEST_MARK))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("format") == PACKAGE


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
    folder = Path(os.path.realpath(folder))
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
