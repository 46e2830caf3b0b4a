"""Tables of sounds and labels."""

import json

import pytest
from speechbrain_petl.dataio.listing import read_listing


@pytest.fixture
def read(tmp_path):
    """``read(text, ending)``: what a table of this text lists."""

    def listing(text, ending="csv"):
        """Writes and reads the table."""
        table = tmp_path / f"clips.{ending}"
        table.write_text(text, encoding="utf-8")
        return read_listing(table, tmp_path)

    return listing


def test_every_column(read):
    listing = read(
        "file,label,split,group,start,end,notes\n"
        "a.wav,dog,Training,anna,0.5,2,x\n"
        "b/c.wav, cat ,val,,,,\n"
    )
    assert listing.faults == []
    first, second = listing.sounds
    assert first.labels == ("dog",) and first.split == "train"
    assert (first.start, first.end, first.group) == (0.5, 2.0, "anna")
    assert first.name == "a.wav@0.5-2" and first.origin == "line 2"
    assert second.path == "b/c.wav" and second.labels == ("cat",)
    assert (second.split, second.group, second.end) == ("valid", None, None)
    assert "columns notes of" in listing.notes[0]
    assert not listing.tagging


def test_several_labels_make_it_tagging(read):
    listing = read("file,label\na.wav,dog; cat;dog\nb.wav,\n")
    assert listing.tagging and listing.faults == []
    assert [s.labels for s in listing.sounds] == [("cat", "dog"), ()]
    rows = [{"file": "a.wav", "label": ["dog"]}, {"file": "b.wav", "label": []}]
    listing = read("\n".join(map(json.dumps, rows)), "jsonl")
    assert listing.tagging and listing.sounds[0].labels == ("dog",)


def test_lines_of_json(read):
    listing = read(
        '{"file": "a.wav", "label": "dog", "start": 1.5}\n\n'
        '{"file": "b.wav", "label": 3, "group": 7}\n',
        "jsonl",
    )
    assert listing.faults == []
    first, second = listing.sounds
    assert first.start == 1.5 and first.group is None
    assert second.labels == ("3",) and second.group == "7"
    assert second.origin == "line 3"


def test_an_absolute_path_inside_the_folder(read, tmp_path):
    listing = read(f"file,label\n{tmp_path}/x/a.wav,dog\n./x//b.wav,dog\n")
    assert [s.path for s in listing.sounds] == ["x/a.wav", "x/b.wav"]


@pytest.mark.parametrize(
    "row, fault",
    [
        ("../a.wav,dog,,,", "'../a.wav', which is not inside"),
        ("/etc/passwd,dog,,,", "'/etc/passwd', which is not inside"),
        (",dog,,,", "column 'file' has no value"),
        ("a.wav,dog,later,,", "'later', not train, valid or test"),
        ("a.wav,dog,,-1,", "'-1', not a number of seconds"),
        ("a.wav,dog,,nan,", "'nan', not a number of seconds"),
        ("a.wav,dog,,1e999,", "not a number of seconds"),
        ("a.wav,dog,,x,", "'x', not a number of seconds"),
        ("a.wav,dog,,2,1", "is 1, which is not after the start"),
    ],
)
def test_bad_rows_are_listed_and_the_others_kept(row, fault, read):
    listing = read(f"file,label,split,start,end\n{row}\nb.wav,cat,,,\n")
    assert [sound.path for sound in listing.sounds] == ["b.wav"]
    said = listing.faults[0]
    assert fault in said and "line 2" in said and "correct the table" in said


def test_splits_of_some_rows_only(read):
    listing = read("file,label,split\na.wav,dog,train\nb.wav,cat,\n")
    assert (
        "1 rows have no split, and others have one: line 3"
        in (listing.faults[0])
    )


@pytest.mark.parametrize(
    "text, ending, message",
    [
        ("path,class\n", "csv", "line 1: no column file, label among path"),
        ("file,label\n", "csv", "has no rows; correct the table"),
        ("file,label\na.wav\n", "csv", "'label' is missing"),
        ("[1]\n", "jsonl", "line 1: no JSON object"),
        ("{\n", "jsonl", "line 1: no JSON object"),
        ("[" * 100000, "jsonl", "line 1: no JSON object"),
        ('{"file": "a"}\n', "jsonl", "line 1: no key label among file"),
        ("\n", "jsonl", "has no rows"),
    ],
)
def test_what_is_no_table(text, ending, message, read):
    with pytest.raises(ValueError, match=message):
        read(text, ending)


def test_values_of_the_wrong_kind_in_json(read):
    rows = [
        {"file": ["a"], "label": "dog"},
        {"file": "b.wav", "label": {"x": 1}},
        {"file": "c.wav", "label": ["dog", 1]},
        {"file": "d.wav", "label": True},
        {"file": "e.wav", "label": None},
    ]
    listing = read("\n".join(map(json.dumps, rows)), "jsonl")
    assert len(listing.faults) == 4, listing.faults
    assert [s.labels for s in listing.sounds] == [()]


def test_no_table(tmp_path):
    with pytest.raises(ValueError, match="no table .*gone.csv"):
        read_listing(tmp_path / "gone.csv", tmp_path)
