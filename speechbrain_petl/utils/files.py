"""Files and folders that appear whole or not at all."""

import fnmatch
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

from speechbrain_petl.utils.messages import printable
from speechbrain_petl.utils.regular_files import read_regular

PACKAGE = "speechbrain-petl"  # "format" in the JSON that marks our folders
LONGEST_MARK = 2**26  # bytes


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """Yields a temporary file, which takes the place of ``file`` at the end.

    Nobody ever sees half a file under the final name.

    Arguments
    ---------
    file : Path
        File to replace, or create.

    Yields
    ------
    Path
        File to write to, in the same folder.
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
        File to write.
    manifest : dict of str to dict
        Entries by id.
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
def replacing_folder(
    folder: str | Path, mark: str, names: Collection[str]
) -> Iterator[Path]:
    """Yields a temporary folder that replaces ``folder`` at the end.

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
        Patterns (as of ``fnmatch``) of all the files of this kind; those in
        folders of it with ``/``.

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
    patterns = [tuple(known.split("/")) for known in names]
    foreign = _foreign(folder, patterns)
    if present and not foreign and not _is_marked(folder / mark):
        foreign = present
    if foreign:
        raise ValueError(
            f"'{printable(folder)}' holds '{printable(foreign[0])}', which is "
            "not to be replaced: name a folder that is absent, empty, or "
            "written by this command before."
        )


def _foreign(folder, patterns):
    """Returns what a folder holds that no pattern, a tuple of parts, is of."""
    found = []
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        fits = [p for p in patterns if fnmatch.fnmatchcase(entry.name, p[0])]
        if entry.is_dir(follow_symlinks=False):
            deeper = [p[1:] for p in fits if len(p) > 1]
            inner = _foreign(entry.path, deeper) if deeper else [""]
            found += [f"{entry.name}/{name}".rstrip("/") for name in inner]
        elif not entry.is_file() or not any(len(p) == 1 for p in fits):
            found.append(entry.name)
    return found


def _is_marked(path):
    """Returns True if a JSON file says its folder was written here."""
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
    """Returns True if a path, of any system, leads out of its folder.

    Arguments
    ---------
    path : str
        Path that should be relative.

    Returns
    -------
    bool

    Example
    -------
    >>> climbs_out("audio/a.wav"), climbs_out("../a.wav"), climbs_out("C:/a")
    (False, True, True)
    """
    return any(
        flavor(path).anchor or ".." in flavor(path).parts
        for flavor in (PurePosixPath, PureWindowsPath)
    )
