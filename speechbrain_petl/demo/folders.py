"""Writing files, and folders that are either complete or not there."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from speechbrain_petl.utils.files import swapping_folder

#: Lies in every folder written here; a folder without it is never replaced.
MARKER = "DEMO_CORPUS.json"


@contextmanager
def whole_folder(folder: str | Path, **settings) -> Iterator[Path]:
    """Yields a folder to fill, which becomes ``folder`` when it is complete.

    Arguments
    ---------
    folder: str or Path
        The target: new, empty, or written by this function before.
    **settings
        What to note in the marker file.

    Yields
    ------
    Path
        A temporary folder beside the target. It is renamed at the end, so that
        whoever finds the target finds all of it.
    """
    folder = Path(folder)
    ours = (folder / MARKER).is_file()
    if (
        folder.exists()
        and not ours
        and (not folder.is_dir() or any(folder.iterdir()))
    ):
        raise FileExistsError(
            f"{folder} exists and holds no {MARKER}: it was not written here, "
            f"so it is left alone. Give another folder."
        )
    with swapping_folder(folder) as new:
        yield new
        note = {"sounds": "procedural, no recordings", **settings}
        (new / MARKER).write_text(json.dumps(note, indent=2) + "\n")


def write_wav(path: Path, wave: np.ndarray, sample_rate: int) -> None:
    """Writes 16-bit PCM, (time,) or (time, channels), making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave, sample_rate, subtype="PCM_16")


def write_csv(path: Path, header: str, rows: list[tuple]) -> None:
    """Writes a comma-separated table, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [header.split(","), *rows]
        )
