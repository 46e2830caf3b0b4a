"""``search.json``: what a search was asked, has decided and has found."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechbrain_petl.utils.files import read_json, write_json
from speechbrain_petl.utils.settings import differences

FILE = "search.json"
FORMAT = 2
REMEDY = "give another --output, or remove that folder"


class Record:
    """The record of a search, kept on disk from step to step.

    Arguments
    ---------
    folder : Path
        Output folder.
    settings : mapping
        What is asked, see ``Request.settings``.

    Raises
    ------
    ValueError
        If the folder holds a search of other settings, or the record is
        damaged.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> Record(folder, {"seed": 1}).keep("chosen", ["linear"])
    >>> Record(folder, {"seed": 1})["chosen"]
    ['linear']
    >>> Record(folder, {"seed": 2})
    Traceback (most recent call last):
    ...
    ValueError: ... holds a training of other settings: seed is 1 there and 2 \
here; give another --output, or remove that folder.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]):
        self.folder = folder
        self.file = folder / FILE
        self.values: dict[str, Any] = {
            "format": FORMAT,
            "settings": dict(settings),
            "spent": 0.0,
        }
        if self.file.is_file():
            found = read_json(self.file)
            if found.get("format") != FORMAT:
                raise ValueError(
                    f"{self.file} is of another version: {REMEDY}."
                )
            self._compare("settings", found["settings"], settings)
            self.values = found
        self.before = self.values["spent"]
        self.start = time.monotonic()

    def __getitem__(self, key: str) -> Any:
        """Returns what is kept by a key, or None."""
        return self.values.get(key)

    def keep(self, key: str, value: Any) -> None:
        """Keeps a value by a key, on disk at once."""
        self.values[key] = value
        self.values["spent"] = round(self.spent(), 2)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.file, self.values)

    def spent(self) -> float:
        """Returns the seconds that went by in this process and before it."""
        return self.before + time.monotonic() - self.start

    def settle(self, data: Mapping[str, Any]) -> None:
        """Compares the data with those that the search was begun with.

        Raises
        ------
        ValueError
            If they differ.
        """
        if self["data"] is None:
            self.keep("data", dict(data))
        else:
            self._compare("data", self["data"], data)

    def _compare(self, what, there, here):
        """Raises an error that names every difference."""
        found = differences(there, here)
        if found:
            raise ValueError(
                f"{self.folder} holds a training of other {what}: {found}; "
                f"{REMEDY}."
            )
