"""Folders that cannot be trained on: one sentence each, and nothing is left."""

import pytest
import soundfile
from speechbrain_petl.cli.main import main

TABLE = ["--metadata", "table.csv"]


def clip(path, value=0.1):
    """Writes a short clip."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, [value] * 4000, 16000)


def empty(root):
    """Holds nothing."""


def one_class(root):
    """Has one class only."""
    for number in range(5):
        clip(root / "dog" / f"{number}.wav", 0.01 * number)


def too_few(root):
    """Has one clip of a class."""
    for number in range(5):
        clip(root / "dog" / f"{number}.wav", 0.01 * number)
    clip(root / "cat" / "a.wav", 0.3)


def unreadable(root):
    """Has a file that is no audio."""
    one_class(root)
    for number in range(5):
        clip(root / "cat" / f"{number}.wav", -0.02 * number)
    (root / "cat" / "x.wav").write_bytes(b"<b>no audio</b>")


def hostile(root):
    """Has a name that would act on a terminal."""
    one_class(root)
    for number in range(5):
        clip(root / "cat\x1b[2J" / f"{number}.wav", -0.02 * number)


def table(root, labels):
    """Writes clips and a table of their labels."""
    rows = ["file,label"]
    for number, label in enumerate(labels):
        clip(root / f"{number}.wav", 0.03 * (number + 1))
        rows.append(f"{number}.wav,{label}")
    (root / "table.csv").write_text("\n".join(rows))


def untold_split(root):
    """Is tagging, with a test split in which no clip has a label."""
    table(root, ["a", "a;b", "b"] * 3 + ["", "", ""])
    rows = (root / "table.csv").read_text().splitlines()
    splits = ["split", *["train"] * 5, *["valid"] * 4, *["test"] * 3]
    text = "\n".join(f"{r},{s}" for r, s in zip(rows, splits, strict=True))
    (root / "table.csv").write_text(text)


def hostile_tag(root):
    """Is tagging, with a tag that would act on a terminal."""
    table(root, ["a", "a;b\x1b[2J", "b\x1b[2J"] * 4)


def quantities(root):
    """Has a column of numbers that are no classes."""
    table(root, [f"{0.37 * n:.2f}" for n in range(12)])


@pytest.mark.parametrize(
    "write, options, said",
    [
        (empty, [], "There is no audio file in it"),
        (one_class, [], "Two classes are needed at least"),
        (too_few, [], "cat"),
        (unreadable, [], "1 of 11 sounds cannot be used"),
        (hostile, [], "has a control character: rename it"),
        (untold_split, TABLE, "No clip of the split 'test' has a label"),
        (hostile_tag, TABLE, "control character"),
        (quantities, TABLE, "quantities"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_one_sentence(
    write, options, said, tmp_path, tiny_folder, capsys, monkeypatch
):
    root = tmp_path / "sounds"
    root.mkdir()
    write(root)
    monkeypatch.chdir(root)
    line = ["train", str(root), "--source", tiny_folder, *options]
    line += ["--output", str(tmp_path / "out"), "--no_near_duplicates"]
    line += ["--method", "linear"]  # soon over, should it begin
    assert main(line) == 2
    err = capsys.readouterr().err
    message = err[err.index("speechbrain-petl: ") :]
    assert said in message and "\x1b" not in message
    assert "Traceback" not in err
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left <= {".lock"}, "nothing is half-written"


def test_a_missing_folder_is_found_before_the_backbone_is_looked_for(
    tmp_path, capsys
):
    words = ["train", str(tmp_path / "soundz"), "--source", "owner/none"]
    assert main([*words, "--output", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "There is no folder" in said and "soundz" in said
    assert not (tmp_path / "out").exists()
