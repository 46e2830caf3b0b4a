"""Files that a finished run leaves, each whole or not at all."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from speechbrain_petl.utils.files import write_file

from speechbrain.utils.logger import get_logger

logger = get_logger(__name__)


def write_rows(
    folder: str, name: str, header: Sequence[str], rows: Iterable[Sequence]
) -> None:
    """Writes a table of comma-separated values.

    Arguments
    ---------
    folder : str
        The run's output folder.
    name : str
        Name of the file.
    header : sequence of str
        Names of the columns.
    rows : iterable of sequence
        The rows.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> write_rows(folder, "a.csv", ["id", "score"], [["x", 1]])
    >>> (folder / "a.csv").read_text()
    'id,score\\nx,1\\n'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_file(os.path.join(folder, name), text.getvalue())


def write_picture(
    folder: str, name: str, draw: Callable[[], Any], instead: str
) -> None:
    """Writes a figure, or logs that it cannot be drawn.

    Arguments
    ---------
    folder : str
        The run's output folder.
    name : str
        Name of the file.
    draw : callable
        Returns the ``matplotlib.figure.Figure``.
    instead : str
        Where the numbers are, for somebody without matplotlib.
    """
    if find_spec("matplotlib") is None:
        logger.info(
            f"Without matplotlib there is no {name}; {instead}. "
            "pip install 'speechbrain-petl[experiments]' brings it."
        )
        return
    picture = io.BytesIO()
    draw().savefig(picture, format="png", dpi=150)
    write_file(os.path.join(folder, name), picture.getvalue())


def write_summary(folder: str, summary: Mapping[str, Any]) -> None:
    """Writes ``results.json``, last of all: it says that the run is finished.

    Arguments
    ---------
    folder : str
        The run's output folder.
    summary : mapping
        Plain values, numbers finite.
    """
    write_file(
        os.path.join(folder, "results.json"),
        json.dumps(summary, indent=2, allow_nan=False),
    )
