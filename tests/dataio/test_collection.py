"""A user's own sounds, listed, decoded and grouped."""

import numpy as np
import pytest
import soundfile
from speechbrain_petl.dataio.collection import Collection, collect
from speechbrain_petl.dataio.groups import Groups
from speechbrain_petl.dataio.sounds import Sound


@pytest.fixture
def write(tmp_path):
    """``write(name, seed)``: a second of noise."""

    def one(name, seed):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        noise = np.random.default_rng(seed).normal(0, 0.1, 16000)
        soundfile.write(file, noise, 16000)

    return one


def test_what_cannot_be_used_is_a_fault_or_left_out(tmp_path, write):
    for seed, name in enumerate(("cat/a", "cat/b", "dog/c", "dog/d")):
        write(f"{name}.wav", seed)
    (tmp_path / "dog" / "broken.wav").write_bytes(b"RIFF, and no more")
    write("cat/same.wav", 9)
    write("dog/same.wav", 9)
    whole = collect(tmp_path)
    bad, conflict = whole.faults
    assert bad.startswith("1 of 7 sounds cannot be used: dog/broken.wav (")
    assert "cat/same.wav ('cat') and dog/same.wav ('dog')" in conflict
    skipped = collect(tmp_path, skip_bad_audio=True)
    assert skipped.faults == []
    assert all("they are left out." in note for note in skipped.notes)
    names = [sound.name for sound in skipped.sounds]
    assert names == ["cat/a.wav", "cat/b.wav", "dog/c.wav", "dog/d.wav"]
    assert len(skipped.heard) == len(skipped.groups.of_each()) == 4


def test_sounds_that_belong_together_are_grouped(tmp_path, write):
    for seed, name in enumerate(("x1", "x2", "y1", "z1", "w1")):
        write(f"cat/{name}.wav", seed)
    write("cat/q1.wav", 3)  # the samples of z1
    found = collect(tmp_path, group_by="(.)[0-9]")
    groups = dict(
        zip((s.name[4:-4] for s in found.sounds), found.groups.of_each())
    )
    assert groups["x1"] == groups["x2"] and groups["z1"] == groups["q1"]
    assert len(set(groups.values())) == 4
    reasons = [reason["why"] for _, reason in found.groups.reasons]
    assert "pattern (.)[0-9]" in reasons


def test_a_row_that_is_listed_twice_is_a_fault(tmp_path, write):
    write("a.wav", 0)
    write("b.wav", 1)
    table = tmp_path / "meta.csv"
    table.write_text("file,label\na.wav,cat\nb.wav,dog\na.wav,cat\n")
    (fault,) = collect(tmp_path, table).faults
    assert "1 sounds are listed more than once: a.wav" in fault


def test_classes_that_are_numbers_go_by_value():
    def labels(*names):
        sounds = [Sound(f"{name}.wav", (name,)) for name in names]
        return Collection(sounds, [], Groups(len(sounds)), False).labels

    assert labels("10", "9", "2") == ["2", "9", "10"]
    assert labels("10", "9", "b") == ["10", "9", "b"]
