#!/usr/bin/env python3
"""Puts what the tests recorded into docs/RELIABILITY.md.

> python -m pytest --record record.json
> python tools/reliability_table.py record.json

Where the tests run as root, one is skipped: run it as another user, with a
record of its own, and give both files.
"""

import json
import platform
import sys
from pathlib import Path

from speechbrain_petl.utils.files import replacing
from speechbrain_petl.utils.versions import versions

PAGE = Path(__file__).resolve().parents[1] / "docs" / "RELIABILITY.md"
BEGIN, END = "<!-- record -->\n", "<!-- end of record -->\n"


def make_table(record: list[dict]) -> str:
    """The table of faults.

    Arguments
    ---------
    record : list of dict
        As the tests write it with ``--record``.

    Returns
    -------
    str
        Markdown.

    Example
    -------
    >>> row = {"fault": "disk full", "test": "t::x", "passed": 3, "failed": 0}
    >>> print(make_table([row]).splitlines()[-1])
    | disk full | `t::x` | 3 | as it should |
    """
    lines = ["| Fault | Tried by | Times | Outcome |", "|---|---|---:|---|"]
    for row in record:
        times = row["passed"] + row["failed"]
        outcome = f"{row['failed']} FAILED" if row["failed"] else "as it should"
        lines.append(
            f"| {row['fault']} | `{row['test']}` | {times} | {outcome} |"
        )
    return "\n".join(lines) + "\n"


def main(*files: str) -> None:
    """Writes the table of all records into the page."""
    record = [
        row
        for file in files
        for row in json.loads(Path(file).read_text(encoding="utf-8"))
    ]
    record.sort(key=lambda row: (row["fault"], row["test"]))
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    found = ", ".join(f"{name} {v}" for name, v in versions().items())
    total = sum(row["passed"] + row["failed"] for row in record)
    intro = (
        f"{total} trials of {len({row['fault'] for row in record})} faults, on "
        f"{platform.system()} {platform.machine()}: {found}.\n\n"
    )
    with replacing(PAGE) as temporary:
        temporary.write_text(
            f"{before}{BEGIN}{intro}{make_table(record)}{END}{after}",
            encoding="utf-8",
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
