"""Reads the metadata tables of a corpus strictly.

An error in a table names the file, the line and the column.
"""

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESTORE = "restore the original file"


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Arguments
    ---------
    file : Path
        The table, for messages.
    line : int
        Line of the row, counted from 1.
    values : dict of str to object
        Cells by column: texts, or whatever a JSON line holds.
    remedy : str
        Advice at the end of error messages.
    """

    file: Path
    line: int
    values: dict[str, Any]
    remedy: str = RESTORE

    def __getitem__(self, column: str) -> str:
        """Returns the text of a cell, which must not be empty."""
        text = (self.values[column] or "").strip()
        if not text:
            raise self.error(column, "has no value")
        return text

    def integer(self, column: str, allowed: range) -> int:
        """Returns the number in a cell, which must lie in ``allowed``."""
        text = self[column]
        try:
            number = int(text)
        except ValueError:
            number = None
        if number is None or number not in allowed:
            raise self.error(
                column,
                f"is {text!r}, but should be a number from {allowed[0]} to "
                f"{allowed[-1]}",
            )
        return number

    def error(self, column: str, what: str) -> ValueError:
        """Returns the error to raise about a cell."""
        return ValueError(
            f"{self.file}, line {self.line}: column {column!r} {what}; "
            f"{self.remedy}."
        )


def read_table(
    file: str | Path,
    columns: Collection[str],
    header: Sequence[str] | None = None,
    remedy: str = RESTORE,
) -> list[Row]:
    """Reads a table of comma-separated values.

    Arguments
    ---------
    file : str or Path
        The table, in UTF-8, with or without a byte-order mark.
    columns : collection of str
        Columns that it must have; it may have more.
    header : sequence of str, optional
        Names of all columns, if the table's first line does not give them.
    remedy : str
        What errors advise to do.

    Returns
    -------
    list of Row
        Rows in the order of the file.

    Raises
    ------
    ValueError
        If a column is missing, a row is too long or too short, or there are
        no rows.

    Example
    -------
    >>> path = getfixture("tmpdir") / "clips.csv"
    >>> path.write_text("name,fold\\na.wav,3\\n", encoding="utf-8")
    >>> row = read_table(path, ["name", "fold"])[0]
    >>> row["name"], row.integer("fold", range(1, 6)), row.line
    ('a.wav', 3, 2)
    """
    file = Path(file)
    rows = []
    try:
        with open(file, newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, header)
            header = reader.fieldnames or []
            missing = [name for name in columns if name not in header]
            if missing:
                raise ValueError(
                    f"{file}, line 1: no column {', '.join(missing)} among "
                    f"{', '.join(header) or 'none'}; {remedy}."
                )
            for values in reader:
                row = Row(file, reader.line_num, values, remedy)
                # DictReader files surplus cells under the key None, and
                # fills lacking ones up with the value None.
                if None in values:
                    raise row.error(header[-1], "is followed by more cells")
                for column, value in values.items():
                    if value is None:
                        raise row.error(column, "is missing")
                rows.append(row)
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(
            f"{file} is not a table in UTF-8 ({error}); {remedy}."
        ) from error
    if not rows:
        raise ValueError(f"{file} has no rows; {remedy}.")
    return rows
