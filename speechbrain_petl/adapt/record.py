"""``search.json``: what a search was asked, has decided and has found."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechbrain_petl.utils.files import read_json, write_json
from speechbrain_petl.utils.settings import differences

FILE = "search.json"
FORMAT = 2
PHASES, SEARCH = "phases", "search"
REMEDY = "give another --output, or remove that folder"


class Record:
    """The record of a search, kept on disk from step to step.

    Arguments
    ---------
    folder : Path
        Output folder.
    settings : mapping
        What is asked, see ``Request.settings``.
    began : float, optional
        Reading of ``time.monotonic`` that the time spent is counted from; now
        by default.

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

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, Any],
        began: float | None = None,
    ):
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
        self.start = time.monotonic() if began is None else began
        self.phase_began = self.before

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

    def passed(self, phase: str) -> None:
        """Keeps how long a phase took that ends now, whenever it was begun."""
        seconds, now = dict(self[PHASES] or {}), self.spent()
        took = seconds.get(phase, 0.0) + now - self.phase_began
        self.phase_began = now
        self.keep(PHASES, {**seconds, phase: round(took, 2)})

    def overrun(self, minutes: float) -> str | None:
        """Returns a sentence if more time was spent than was given.

        Example
        -------
        >>> record = Record(getfixture("tmp_path"), {})
        >>> record.values |= {"spent": 90.0, PHASES: {"reading": 70.0}}
        >>> record.before = 90.0
        >>> record.overrun(2) is None, record.overrun(1)[:45]
        (True, '--minutes 1 was exceeded by 30 s: the least w')
        """
        over = self.spent() - 60 * minutes
        if over <= 0:
            return None
        phases = self[PHASES] or {}
        least = sum(s for name, s in phases.items() if name != SEARCH)
        told = ", ".join(f"{name} {s:.0f} s" for name, s in phases.items())
        why = "it ended later than was foreseen"
        if least > 60 * minutes:
            why = f"the least work took {least:.0f} s here"
        return f"--minutes {minutes:g} was exceeded by {over:.0f} s: {why} ({told})."

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
