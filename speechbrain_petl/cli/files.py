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


class Answers:
    """A file of answers, a line of JSON each, that may be continued.

    Lines of an earlier run stay; the files that they are of are known. A line
    that was cut off is removed.

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
        self.path = Path(path)
        if shard[1] > 1:
            name = f"{self.path.stem}-{shard[0]}-of-{shard[1]}"
            self.path = self.path.with_name(name + self.path.suffix)
        self.known: set[str] = set()
        whole = 0
        if self.path.exists():
            with self.path.open("rb") as file:
                for number, line in enumerate(file, 1):
                    if not line.endswith(b"\n"):
                        break
                    self.known.add(self._file_of(line, number))
                    whole += len(line)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file: IO[str] = self.path.open("a", encoding="utf-8")
        self.file.truncate(whole)

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
        return (name for name in names if name not in self.known)

    def write(self, answer: dict) -> None:
        """Adds a line, on disk at once."""
        self.file.write(json.dumps(answer) + "\n")
        self.file.flush()

    def __enter__(self) -> "Answers":
        return self

    def __exit__(self, *_) -> None:
        self.file.close()
