"""Tables are read strictly; an error names the line and the column."""

import pytest
from speechbrain_petl.dataio.metadata import read_table


def table(tmp_path, text):
    """Writes a table."""
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_tables_with_quotes_line_ends_and_byte_order_mark(tmp_path):
    path = table(tmp_path, '\ufeffname,text,n\r\na,"so, ""it"" is",3\r\n')
    (row,) = read_table(path, ["name", "n"])
    assert row["name"] == "a" and row["text"] == 'so, "it" is'
    assert row.integer("n", range(4)) == 3


@pytest.mark.parametrize(
    "text, message",
    [
        ("name\na\n", "line 1: no column n among name"),
        ("", "line 1: no column name, n among none"),
        ("name,n\n", "has no rows"),
        ("name,n\na,1\nb\n", "line 3: column 'n' is missing"),
        ("name,n\na,1,2\n", "line 2: column 'n' is followed by more cells"),
        (b"name,n\n\xff,1\n", "not a table in UTF-8"),
    ],
)
def test_malformed_tables_are_refused(text, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read_table(table(tmp_path, text), ["name", "n"])


@pytest.mark.parametrize(
    "cell, message",
    [
        ("x", "line 2: column 'n' is 'x', but should be a number from 1 to 5"),
        ("6", "is '6', but should be a number from 1 to 5"),
        (" ", "line 2: column 'n' has no value"),
    ],
)
def test_malformed_numbers_are_refused(cell, message, tmp_path):
    (row,) = read_table(table(tmp_path, f"name,n\na,{cell}\n"), ["n"])
    with pytest.raises(ValueError, match=message):
        row.integer("n", range(1, 6))


def test_a_table_without_a_header(tmp_path):
    file = table(tmp_path, "0,Alarm\n1,Bark\n")
    rows = read_table(file, ["n", "name"], header=["n", "name"])
    assert [(r.line, r["n"], r["name"]) for r in rows] == [
        (1, "0", "Alarm"),
        (2, "1", "Bark"),
    ]
    with pytest.raises(ValueError, match="line 1: .*followed by more cells"):
        read_table(file, ["n"], header=["n"])
