"""Reading the metadata tables of a corpus, strictly.

A malformed table is refused with the file, the line and the column, rather
than turned into a wrong manifest.
"""

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One row of a table, which knows where it stands.

    Arguments
    ---------
    file : Path
        The table.
    line : int
        The line, counted from 1.
    values : dict of str to str
        The cells by column.
    """

    file: Path
    line: int
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        """The text of a cell, which must not be empty."""
        text = (self.values[column] or "").strip()
        if not text:
            raise self.error(column, "has no value")
        return text

    def integer(self, column: str, allowed: range) -> int:
        """The number in a cell, which must lie in ``allowed``."""
        try:
            number = int(self[column])
        except ValueError:
            number = None
        if number not in allowed:
            raise self.error(
                column,
                f"is {self[column]!r}, but should be a number from "
                f"{allowed[0]} to {allowed[-1]}",
            )
        return number

    def error(self, column: str, what: str) -> ValueError:
        """The error to raise about a cell."""
        return ValueError(
            f"{self.file}, line {self.line}: column {column!r} {what}; "
            "restore the original file."
        )


def read_table(
    file: str | Path,
    columns: Collection[str],
    header: Sequence[str] | None = None,
) -> list[Row]:
    """Reads a table of comma-separated values.

    Arguments
    ---------
    file : str or Path
        The table, in UTF-8 with or without a byte-order mark.
    columns : collection of str
        The columns that it must have; it may have more.
    header : sequence of str, optional
        Names of all columns, if the table's first line does not give them.

    Returns
    -------
    list of Row
        In the order of the file.

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
                    f"{', '.join(header) or 'none'}; restore the original "
                    "file."
                )
            for values in reader:
                row = Row(file, reader.line_num, values)
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
            f"{file} is not a table in UTF-8 ({error}); restore the original "
            "file."
        ) from error
    if not rows:
        raise ValueError(f"{file} has no rows; restore the original file.")
    return rows
