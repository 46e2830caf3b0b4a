"""``inspect``: what is shown of an artefact, letter by letter harmless."""

import json

from speechbrain_petl.cli.inspection import _clips
from speechbrain_petl.cli.main import main


def test_what_is_shown(make_artefact, tmp_path, capsys):
    make_artefact(tmp_path / "artefact", "lora", labels=["dog", "cat\x1b[2J"])
    assert main(["inspect", str(tmp_path / "artefact")]) == 0
    said = capsys.readouterr().out
    rows = dict(line.split(maxsplit=1) for line in said.splitlines())
    assert rows["method"] == "lora" and rows["task"] == "classification"
    assert "\x1b" not in said and "2: dog, cat" in rows["labels"]
    assert main(["inspect", str(tmp_path / "artefact"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["method"] == "lora"


def test_clips_as_far_as_recorded():
    assert _clips({"clips": {"train": {"number": 1200}, "valid": None}}) == (
        " (clips: train 1,200)"
    )
    assert _clips({}) == ""
