"""Tests of the data preparation for Speech Commands, on a tiny corpus."""

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speechbrain.dataio.encoder import CategoricalEncoder

RECIPE = Path(__file__).parents[2] / "recipes" / "GoogleSpeechCommands"


def load_recipe():
    """Imports the script by its path, as recipes are no package."""
    spec = importlib.util.spec_from_file_location(
        "gsc_prepare", RECIPE / "gsc_prepare.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


recipe = load_recipe()


def write_audio(path):
    """Writes a short silence."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(800), 16000)


def write_corpus(root):
    """Three words by four speakers: two train, one validates, one tests."""
    for word in ("yes", "bed", "stop"):
        for speaker in "abcd":
            write_audio(root / word / f"{speaker}_nohash_0.wav")
    write_audio(root / "_background_noise_" / "pink_noise.wav")
    (root / "LICENSE").touch()
    (root / "docs").mkdir()  # no audio in it: none of our business
    for name, speaker in (("validation", "c"), ("testing", "d")):
        lines = [f"{w}/{speaker}_nohash_0.wav" for w in ("yes", "bed", "stop")]
        (root / f"{name}_list.txt").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture
def corpus(tmp_path):
    """A tiny Speech Commands."""
    return write_corpus(tmp_path / "speech_commands")


def read(folder):
    """The manifests in a folder."""
    return {
        split: json.loads((folder / f"{split}.json").read_text("utf-8"))
        for split in ("train", "valid", "test")
    }


def test_official_lists_and_sorted_labels(corpus, tmp_path, caplog):
    recipe.prepare_gsc(str(corpus), str(tmp_path / "save"))
    manifests = read(tmp_path / "save")
    speakers = {
        split: {entry["speaker"] for entry in manifest.values()}
        for split, manifest in manifests.items()
    }
    assert speakers == {"train": {"a", "b"}, "valid": {"c"}, "test": {"d"}}
    assert list(manifests["test"]) == [
        "bed_d_nohash_0",
        "stop_d_nohash_0",
        "yes_d_nohash_0",
    ]
    assert manifests["test"]["bed_d_nohash_0"] == {
        "wav": "{data_root}/bed/d_nohash_0.wav",
        "duration": 0.05,
        "label": "bed",
        "speaker": "d",
    }
    encoder = CategoricalEncoder.from_saved(tmp_path / "save/label_encoder.txt")
    assert encoder.ind2lab == {0: "bed", 1: "stop", 2: "yes"}
    assert "12 of 105829 clips, 3 of 35 words:" in caplog.text


def test_there_are_35_words():
    assert len(recipe.WORDS) == len(set(recipe.WORDS)) == 35
    assert recipe.WORDS == sorted(recipe.WORDS)


def test_empty_and_unknown_folders_are_named(corpus, tmp_path):
    (corpus / "zero").mkdir()
    with pytest.raises(ValueError, match="No audio file in the folders zero"):
        recipe.prepare_gsc(corpus, tmp_path / "save")
    (corpus / "zero").rename(corpus / "nought")
    write_audio(corpus / "nought" / "a.wav")
    with pytest.raises(ValueError, match="folders nought .* are not words"):
        recipe.prepare_gsc(corpus, tmp_path / "save")


def test_a_listed_clip_without_a_file(corpus, tmp_path, caplog):
    (corpus / "yes" / "d_nohash_0.wav").unlink()
    with pytest.raises(ValueError, match="yes/d_nohash_0.wav .missing"):
        recipe.prepare_gsc(corpus, tmp_path / "save")
    recipe.prepare_gsc(corpus, tmp_path / "save", skip_bad_audio=True)
    assert len(read(tmp_path / "save")["test"]) == 2
    assert "yes/d_nohash_0.wav" in caplog.text


def test_a_clip_in_both_lists(corpus, tmp_path):
    with open(corpus / "testing_list.txt", "a") as file:
        file.write("bed/c_nohash_0.wav\n")
    with pytest.raises(ValueError, match="1 clips are in both.*bed/c_nohash"):
        recipe.prepare_gsc(corpus, tmp_path / "save")


def test_a_missing_list(corpus, tmp_path):
    (corpus / "validation_list.txt").unlink()
    with pytest.raises(FileNotFoundError, match="no validation_list.txt"):
        recipe.prepare_gsc(corpus, tmp_path / "save")


def test_download_only_if_there_is_no_corpus(corpus, tmp_path, monkeypatch):
    asked = []

    def fetch(url, known_hash, folder):
        asked.append((url, known_hash))
        write_corpus(Path(folder))

    monkeypatch.setattr(recipe, "fetch_archive", fetch)
    recipe.prepare_gsc(corpus, tmp_path / "save", download=True)
    assert asked == []
    recipe.prepare_gsc(tmp_path / "new", tmp_path / "save", download=True)
    assert asked == [(recipe.ARCHIVE, recipe.CHECKSUM)]


@pytest.mark.skipif(
    "SPEECHBRAIN_PETL_DATA" not in os.environ, reason="needs real data"
)
def test_real_excerpt(tmp_path):
    corpus = Path(os.environ["SPEECHBRAIN_PETL_DATA"]) / "SpeechCommands"
    if not corpus.is_dir():
        pytest.skip("Speech Commands is not there")
    recipe.prepare_gsc(corpus, tmp_path)
    speakers = [
        {entry["speaker"] for entry in manifest.values()}
        for manifest in read(tmp_path).values()
    ]
    assert len(set().union(*speakers)) == sum(map(len, speakers))
    encoder = CategoricalEncoder.from_saved(tmp_path / "label_encoder.txt")
    assert len(encoder) == 35
