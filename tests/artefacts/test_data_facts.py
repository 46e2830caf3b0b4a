"""What an artefact says of its data."""

import json

import numpy as np
import soundfile
from speechbrain_petl.artefacts.data_facts import data_facts, excerpt


def test_an_excerpt_of_a_corpus(tmp_path):
    data = tmp_path / "ESC-10"
    data.mkdir()
    clips = {}
    for number, rate in enumerate((8000, 8000, 44100)):
        name = f"{number}.wav"
        soundfile.write(data / name, np.zeros(100), rate)
        clips[name] = {"wav": "{data_root}/" + name, "label": "a"}
    manifest = tmp_path / "train.json"
    manifest.write_text(json.dumps(clips))
    script = tmp_path / "train.py"
    found = data_facts(script, data, manifest, 80)
    assert found == {"folder": "ESC-10", "source_rate": 8000}
    (tmp_path / "corpus.yaml").write_text("test_clips: 400\n")
    found = data_facts(script, data, manifest, 80)
    assert found["whole_test"] == 400
    assert "whole_test" not in data_facts(script, data, manifest, 400)


def test_files_that_are_gone(tmp_path):
    manifest = tmp_path / "train.json"
    assert data_facts("train.py", tmp_path, manifest, 1) == {
        "folder": tmp_path.name
    }
    manifest.write_text('{"a": {"wav": "{data_root}/a.wav", "label": "a"}}')
    assert "source_rate" not in data_facts("train.py", tmp_path, manifest, 1)


def test_sounds_of_ones_own(tmp_path, monkeypatch):
    """They have no whole test, and a rate only if an artefact may name it."""
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "corpus.yaml").write_text("test_clips: 400\n")
    monkeypatch.chdir(home)  # whatever lies where the command was given
    manifest = tmp_path / "train.json"
    manifest.write_text('{"a": {"wav": "{data_root}/a.wav", "label": "a"}}')
    for rate, said in ((384_000, {"source_rate": 384_000}), (500_000, {})):
        soundfile.write(tmp_path / "a.wav", np.zeros(100), rate)
        found = data_facts(None, tmp_path, manifest, 8)
        assert found == {"folder": tmp_path.name, **said}


def test_nothing_is_said_of_a_whole_corpus():
    metadata = {"training": {"corpus": "ESC-50"}, "metrics": {}}
    assert excerpt(metadata) == ""
    metadata["training"]["data"] = {"folder": "ESC-50"}
    assert excerpt(metadata) == ""
    metadata["training"]["data"]["whole_test"] = 400
    assert "fewer clips were tested, of a whole test of 400" in excerpt(
        metadata
    )
