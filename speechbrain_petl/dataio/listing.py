"""Lists the sounds that a table of a user's own names: CSV or JSON lines."""

import json
import math
import os
from collections.abc import Iterable
from pathlib import Path

from speechbrain_petl.dataio.folder import SPLIT_NAMES
from speechbrain_petl.dataio.metadata import Row, read_table
from speechbrain_petl.dataio.sounds import (
    Listing,
    Sound,
    clean_name,
    fault_of_name,
)
from speechbrain_petl.utils.files import climbs_out
from speechbrain_petl.utils.messages import name_some

COLUMNS = ("file", "label")
OPTIONAL = ("split", "group", "start", "end")
SEPARATOR = ";"  # between several labels
REMEDY = "correct the table"


def read_listing(table: str | Path, data_folder: str | Path) -> Listing:
    """Lists the sounds of a table with the columns ``file`` and ``label``.

    Optional columns are ``split``, ``group``, ``start`` and ``end`` (in
    seconds). Several labels are separated by ``;``, or are a list in JSON;
    wherever a sound has several, the task is tagging, and a sound without
    any label belongs to none of the classes.

    Arguments
    ---------
    table : str or Path
        CSV file, or JSON lines if its name ends in ``.jsonl``.
    data_folder : str or Path
        Folder that the files are named relative to.

    Returns
    -------
    Listing
        The sounds are in the order of the table.

    Raises
    ------
    ValueError
        If the file is no such table.

    Example
    -------
    >>> table = getfixture("tmp_path") / "clips.csv"
    >>> _ = table.write_text("file,label,start\\na.wav,dog;cat,1.5\\n")
    >>> listing = read_listing(table, table.parent)
    >>> listing.sounds[0].labels, listing.sounds[0].start, listing.tagging
    (('cat', 'dog'), 1.5, True)
    """
    table = Path(table)
    if not table.is_file():
        raise ValueError(f"There is no table {table} of sounds and labels.")
    read = read_lines if table.suffix.lower() == ".jsonl" else read_table
    rows = read(table, COLUMNS, remedy=REMEDY)
    sounds, faults = [], []
    tagging = any(_has_several(row.values["label"]) for row in rows)
    for row in rows:
        try:
            sounds.append(_sound(row, Path(data_folder)))
        except ValueError as error:
            faults.append(str(error))
    unused = [c for c in rows[0].values if c not in COLUMNS + OPTIONAL]
    notes = []
    if unused:
        notes.append(
            f"The columns {name_some(unused)} of {table} are not used; those "
            f"that are: {', '.join(COLUMNS + OPTIONAL)}."
        )
    if any(sound.split for sound in sounds):
        missing = [s.origin for s in sounds if s.split is None]
        if missing:
            faults.append(
                f"{len(missing)} rows have no split, and others have one: "
                f"{name_some(missing)}; fill the column, or remove it."
            )
    return Listing(sounds, faults, notes, tagging)


def read_lines(
    file: Path, columns: Iterable[str], remedy: str = REMEDY
) -> list[Row]:
    """Reads a table of one JSON object a line.

    Arguments
    ---------
    file : Path
        The table, in UTF-8.
    columns : iterable of str
        Keys that each object must have; it may have more.
    remedy : str
        What errors advise to do.

    Returns
    -------
    list of Row
        In the order of the file; all rows have the same keys.

    Raises
    ------
    ValueError
        If a line is no such object, or there are none.

    Example
    -------
    >>> file = getfixture("tmp_path") / "clips.jsonl"
    >>> _ = file.write_text('{"file": "a.wav", "label": ["dog", "cat"]}')
    >>> read_lines(file, ["file", "label"])[0].values["label"]
    ['dog', 'cat']
    """
    found: list[tuple[int, dict]] = []
    try:
        lines = file.read_text("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is not in UTF-8; {remedy}.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            raise ValueError(
                f"{file}, line {number}: no JSON object; {remedy}."
            )
        missing = [column for column in columns if column not in values]
        if missing:
            raise ValueError(
                f"{file}, line {number}: no key {', '.join(missing)} among "
                f"{name_some(list(values)) or 'none'}; {remedy}."
            )
        found.append((number, values))
    if not found:
        raise ValueError(f"{file} has no rows; {remedy}.")
    keys = list(dict.fromkeys(key for _, values in found for key in values))
    return [
        Row(file, number, {key: values.get(key) for key in keys}, remedy)
        for number, values in found
    ]


def _sound(row, data_folder):
    """Returns the sound of a row, or raises what is wrong with it."""
    start = _seconds(row, "start")
    end = _seconds(row, "end")
    if end is not None and end <= (start or 0.0):
        raise row.error("end", f"is {end:g}, which is not after the start")
    split = _text(row, "split")
    if split is not None and split.casefold() not in SPLIT_NAMES:
        raise row.error("split", f"is {split!r:.60}, not train, valid or test")
    return Sound(
        path=_path(row, data_folder),
        labels=_labels(row),
        split=SPLIT_NAMES[split.casefold()] if split else None,
        group=_text(row, "group"),
        start=start or 0.0,
        end=end,
        origin=f"line {row.line}",
    )


def _path(row, data_folder):
    """Returns the path relative to the data folder."""
    path = _text(row, "file")
    if path is None:
        raise row.error("file", "has no value")
    if fault := fault_of_name(path):
        raise row.error("file", f"is {path!r:.120}, which {fault}")
    inside = os.path.isabs(path) and Path(path).is_relative_to(data_folder)
    if inside:
        path = Path(path).relative_to(data_folder).as_posix()
    if climbs_out(path):
        raise row.error(
            "file", f"is {path!r:.120}, which is not inside {data_folder}"
        )
    return os.path.normpath(path).replace(os.sep, "/")


def _has_several(cell):
    """Returns True if the cell of a label asks for tagging."""
    return isinstance(cell, list) or SEPARATOR in str(cell)


def _labels(row):
    """Returns the labels, sorted, each of them once."""
    cell = row.values["label"]
    if isinstance(cell, list):
        parts = cell
    else:
        parts = (_text(row, "label") or "").split(SEPARATOR)
    if not all(isinstance(part, str) for part in parts):
        raise row.error("label", "is a list in which not all is text")
    labels = {clean_name(part) for part in parts}
    return tuple(sorted(labels - {""}))


def _text(row, column):
    """Returns the text of a cell, or None if it is empty or not there."""
    value = row.values.get(column)
    if isinstance(value, (dict, list, bool)):
        raise row.error(column, "is neither text nor a number")
    return None if value is None else str(value).strip() or None


def _seconds(row, column):
    """Returns the number of seconds in a cell, or None if it is empty."""
    text = _text(row, column)
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise row.error(column, f"is {text!r:.60}, not a number of seconds")
    return seconds
