"""Which files a command works on, and where its answers go."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO

from speechbrain_petl.dataio.folder import audio_files
from speechbrain_petl.utils.messages import did_you_mean, name_some, printable

BLOCK = 1 << 16  # bytes that are read at once from a file's end


def named_files(
    files: Iterable[str], files_from: str | None = None
) -> Iterator[str]:
    """Yields files, those of folders and below, and those that a list names.

    Nothing is held in memory, so that there may be millions.

    Arguments
    ---------
    files : iterable of str
        Files and folders.
    files_from : str, optional
        File with a name a line, or ``-`` for the standard input.

    Yields
    ------
    str
        Files that are named, whether they exist or not.

    Raises
    ------
    ValueError
        If there is no such list, or a folder cannot be entered.
    """
    for name in files:
        found = False
        if os.path.isdir(name):
            for path in audio_files(name):
                found = True
                yield os.path.join(name, path)
        if not found:  # a folder without any fails as a file that is missing
            yield name
    if files_from == "-":
        yield from _lines(sys.stdin)
    elif files_from is not None:
        try:
            with open(files_from, encoding="utf-8") as file:
                yield from _lines(file)
        except OSError as error:
            raise ValueError(
                f"--files_from '{printable(files_from)}' cannot be read: "
                f"{error.strerror}."
            ) from error


def check_files(files: Sequence[str], files_from: str | None = None) -> None:
    """Refuses files of which there is none, before anything is loaded.

    Where there are some, each of the others fails by itself later on.

    Arguments
    ---------
    files : sequence of str
        Files and folders.
    files_from : str, optional
        As of ``named_files``; what it names is not looked at.

    Raises
    ------
    ValueError
        If all are missing, or folders without audio.
    """
    reasons = []
    for name in files:
        if os.path.isdir(name) and next(iter(audio_files(name)), None) is None:
            reasons.append(
                f"the folder '{printable(name)}' has no audio file, also not "
                "in its subfolders"
            )
        elif not os.path.lexists(name):
            folder = os.path.dirname(name)
            beside = os.listdir(folder or ".") if _is_folder(folder) else []
            near = did_you_mean(os.path.basename(name), map(printable, beside))
            hint = f"; {near}" if near else ""
            reasons.append(
                f"there is no file or folder '{printable(name)}'{hint}"
            )
        else:
            return
    if reasons and not files_from:
        said = name_some(reasons, "; ")
        said += "" if said.endswith("?") else "."
        raise ValueError(said[0].upper() + said[1:])


def _is_folder(name):
    """Returns True for a folder; the working one has no name."""
    return not name or os.path.isdir(name)


def _lines(file):
    """Yields the lines of a file that are not empty."""
    for line in file:
        if name := line.rstrip("\r\n"):
            yield name


def part_of(names: Iterable[str], shard: tuple[int, int]) -> Iterator[str]:
    """Yields each n-th name, from the k-th on.

    Example
    -------
    >>> list(part_of("abcdefg", (3, 3)))
    ['c', 'f']
    """
    k, n = shard
    return islice(names, k - 1, None, n)


def shard_path(path: str | Path, shard: tuple[int, int]) -> Path:
    """Returns the file of a part's answers.

    Example
    -------
    >>> str(shard_path("found.jsonl", (3, 8))), str(shard_path("a", (1, 1)))
    ('found-3-of-8.jsonl', 'a')
    """
    file = Path(path)
    if shard[1] == 1:
        return file
    return file.with_name(f"{file.stem}-{shard[0]}-of-{shard[1]}{file.suffix}")


def end_of_lines(path: Path) -> int:
    """Returns how many bytes of a file are whole lines.

    It is read from its end, so that a large one takes no longer.

    Example
    -------
    >>> path = getfixture("tmp_path") / "a"
    >>> _ = path.write_bytes(b"one\\ntwo")
    >>> end_of_lines(path)
    4
    """
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - BLOCK)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0


class Answers:
    """A file of answers, a line of JSON each, that may be continued.

    Lines of an earlier run stay, and files that have one are left out. A line
    that was cut off is removed. As long as the names come in the order of the
    lines, both are read side by side, and none is held in memory.

    Arguments
    ---------
    path : str
        The file.
    shard : (int, int)
        Which part it is of; the file's name says so where there are several.

    Raises
    ------
    ValueError
        If the file holds something else.

    Example
    -------
    >>> path = getfixture("tmp_path") / "found.jsonl"
    >>> with Answers(str(path), (1, 1)) as answers:
    ...     answers.write({"file": "a.wav", "label": "dog"})
    >>> with path.open("a") as file:
    ...     _ = file.write('{"file": "b')  # killed here
    >>> with Answers(str(path), (1, 1)) as answers:
    ...     list(answers.to_do(["a.wav", "b.wav"]))
    ['b.wav']
    """

    def __init__(self, path: str, shard: tuple[int, int] = (1, 1)):
        self.path = shard_path(path, shard)
        #: Number of files that had an answer.
        self.skipped = 0
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()
        self.whole = end_of_lines(self.path)
        next(self._answered(), None)  # another file is refused at once
        self.file: IO[str] = self.path.open("a", encoding="utf-8")
        self.file.truncate(self.whole)

    def _answered(self) -> Iterator[str]:
        """Yields the files of the lines that were there, in their order.

        Neighboring lines of one file, by several tasks, count once.
        """
        before, read = None, 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                read += len(line)
                if read > self.whole:  # what was written since
                    return
                name = self._file_of(line, number)
                if name != before:
                    yield name
                before = name

    def _file_of(self, line, number):
        """Returns the file that a line is of."""
        try:
            return json.loads(line)["file"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"'{self.path}', line {number}, is no answer of this command: "
                "give another --output."
            ) from error

    def to_do(self, names: Iterable[str]) -> Iterator[str]:
        """Yields the names that have no answer yet."""
        answered, before = self._answered(), None
        rest: set[str] | None = None  # of answers in another order
        for name in names:
            if rest is None and name != before:
                expected = next(answered, None)
                if expected != name:
                    rest = {before, expected, *answered} - {None}
            if rest is None or name in rest:
                before = name
                self.skipped += 1
            else:
                yield name

    def write(self, answer: dict) -> None:
        """Adds a line, on disk at once."""
        self.file.write(json.dumps(answer) + "\n")
        self.file.flush()

    def __enter__(self) -> "Answers":
        return self

    def __exit__(self, *_) -> None:
        self.file.close()
