"""Folders that are either complete or not there."""

import csv
import json

import numpy as np
import pytest
import soundfile
from speechbrain_petl.demo.folders import (
    MARKER,
    whole_folder,
    write_csv,
    write_wav,
)


def test_a_folder_that_breaks_off_leaves_the_one_before(tmp_path):
    with whole_folder(tmp_path / "corpus", seed=3) as new:
        (new / "a").write_text("first")
    with pytest.raises(RuntimeError), whole_folder(tmp_path / "corpus") as new:
        (new / "a").write_text("second")
        raise RuntimeError
    assert (tmp_path / "corpus" / "a").read_text() == "first"
    assert json.loads((tmp_path / "corpus" / MARKER).read_text())["seed"] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_a_folder_of_ours_is_replaced_whole(tmp_path):
    for name in ("old", "new"):
        with whole_folder(tmp_path / "corpus") as new:
            (new / name).touch()
    left = {path.name for path in (tmp_path / "corpus").iterdir()}
    assert left == {"new", MARKER}


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_others_wrote_is_left_alone(tmp_path, kind):
    target = tmp_path / "mine"
    file = target if kind == "file" else target / "a"
    file.parent.mkdir(exist_ok=True)
    file.write_text("dear")
    with pytest.raises(FileExistsError, match="left alone"):
        with whole_folder(target):
            raise AssertionError("it was entered")
    assert file.read_text() == "dear"


def test_files_are_read_back_as_they_were_given(tmp_path):
    wave = np.array([[0.5, -0.5], [0.25, 0.0]])
    write_wav(tmp_path / "deep" / "a.wav", wave, 8000)
    assert soundfile.info(tmp_path / "deep" / "a.wav").subtype == "PCM_16"
    read, rate = soundfile.read(tmp_path / "deep" / "a.wav")
    assert rate == 8000 and np.array_equal(read, wave)
    write_csv(tmp_path / "more" / "t.csv", "path,text", [("a", "loud, so")])
    with (tmp_path / "more" / "t.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["path", "text"], ["a", "loud, so"]]
