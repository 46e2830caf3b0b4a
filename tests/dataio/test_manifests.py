"""Tests of what all data preparations share, on a tiny corpus."""

import json

import numpy as np
import pytest
import soundfile
from speechbrain_petl.dataio.manifests import Clip, write_manifests
from speechbrain_petl.utils.files import climbs_out

from speechbrain.dataio.dataio import load_data_json
from speechbrain.dataio.dataset import DynamicItemDataset
from speechbrain.dataio.encoder import CategoricalEncoder


def write_audio(path, seconds=0.25):
    """Writes silence."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(str(path), np.zeros(int(16000 * seconds)), 16000)


@pytest.fixture
def corpus(tmp_path):
    """Twelve clips."""
    for i in range(12):
        write_audio(tmp_path / "corpus" / "audio" / f"{i:02}.wav")
    return tmp_path / "corpus"


def clips(numbers):
    """The clips of the tiny corpus with these numbers."""
    return [
        Clip(f"{i:02}", f"audio/{i:02}.wav", "ab"[i % 2], {"fold": i})
        for i in numbers
    ]


def test_manifests_load_in_speechbrain(corpus, tmp_path):
    save = tmp_path / "a" / "save"
    splits = {"train": clips([3, 1, 2]), "valid": clips([4])}
    write_manifests(save, corpus, splits, ["b", "a"])
    assert sorted(p.name for p in save.iterdir()) == [
        "label_encoder.txt",
        "train.json",
        "valid.json",
    ]
    manifest = json.loads((save / "train.json").read_text("utf-8"))
    assert list(manifest) == ["01", "02", "03"]
    assert manifest["01"] == {
        "wav": "{data_root}/audio/01.wav",
        "duration": 0.25,
        "label": "b",
        "fold": 1,
    }
    dataset = DynamicItemDataset.from_json(
        save / "train.json",
        replacements={"data_root": str(corpus)},
        output_keys=["wav", "label"],
    )
    assert soundfile.info(dataset[0]["wav"]).frames == 4000
    encoder = CategoricalEncoder.from_saved(save / "label_encoder.txt")
    assert encoder.lab2ind == {"b": 0, "a": 1}


def test_writing_again_gives_the_same_bytes(corpus, tmp_path):
    write_manifests(tmp_path / "1", corpus, {"test": clips([2, 1])}, "ab")
    write_manifests(tmp_path / "2", corpus, {"test": clips([1, 2])}, "ab")
    for name in ("test.json", "label_encoder.txt"):
        one, two = (tmp_path / folder / name for folder in "12")
        assert one.read_bytes() == two.read_bytes()


def break_audio(corpus):
    """Makes three of the twelve clips unusable, each in its own way."""
    (corpus / "audio" / "01.wav").unlink()
    (corpus / "audio" / "03.wav").write_bytes(b"not audio")
    write_audio(corpus / "audio" / "05.wav", seconds=0)


def test_bad_audio_is_listed_whole_and_nothing_is_written(corpus, tmp_path):
    break_audio(corpus)
    with pytest.raises(ValueError) as error:
        write_manifests(
            tmp_path / "save", corpus, {"test": clips(range(12))}, "ab"
        )
    message = str(error.value)
    assert "3 of 12 audio files" in message
    for offender in ("01.wav (missing)", "03.wav (unr", "05.wav (empty)"):
        assert offender in message
    assert "skip_bad_audio" in message
    assert not (tmp_path / "save").exists()


def test_bad_audio_can_be_skipped_with_a_warning(corpus, tmp_path, caplog):
    break_audio(corpus)
    splits = {"test": clips(range(12))}
    write_manifests(tmp_path, corpus, splits, "ab", skip_bad_audio=True)
    manifest = json.loads((tmp_path / "test.json").read_text("utf-8"))
    assert len(manifest) == 9 and "03" not in manifest
    assert len(caplog.records) == 1 and "03.wav" in caplog.text


def test_only_the_first_ten_offenders_are_named(tmp_path):
    with pytest.raises(ValueError) as error:
        write_manifests(tmp_path, tmp_path, {"test": clips(range(12))}, "ab")
    assert "09.wav (missing) and 2 more" in str(error.value)
    assert "10.wav" not in str(error.value)


def test_duplicate_ids_are_refused_across_splits(corpus, tmp_path):
    splits = {"train": clips([1, 2]), "test": clips([2, 3])}
    with pytest.raises(ValueError, match="1 clips .* more than once: 02;"):
        write_manifests(tmp_path, corpus, splits, "ab")


def test_empty_splits(corpus, tmp_path):
    splits = {"train": clips([1]), "valid": []}
    with pytest.raises(ValueError, match="valid split"):
        write_manifests(tmp_path, corpus, splits, "ab")
    write_manifests(tmp_path, corpus, splits, "ab", may_be_empty=["valid"])
    assert json.loads((tmp_path / "valid.json").read_text("utf-8")) == {}


@pytest.mark.parametrize(
    "path", ["../a.wav", "audio/../../a.wav", "/a.wav", "C:\\a.wav", "..\\a"]
)
def test_paths_that_climb_out_are_refused(path, corpus, tmp_path):
    assert climbs_out(path)
    with pytest.raises(ValueError, match="not inside that folder"):
        write_manifests(
            tmp_path,
            corpus,
            {"test": [Clip("a", path, "a")]},
            "a",
            skip_bad_audio=True,
        )


def test_a_clip_of_several_labels(corpus, tmp_path):
    clip = Clip("00", "audio/00.wav", ["b", "a"])
    write_manifests(tmp_path / "save", corpus, {"test": [clip]}, ["a", "b"])
    manifest = json.loads((tmp_path / "save" / "test.json").read_text("utf-8"))
    assert manifest["00"]["label"] == ["b", "a"]


def test_braces_in_names_are_no_templates(tmp_path):
    name = "{data_root.__class__}.wav"
    write_audio(tmp_path / name)
    clip = Clip("a", name, ["{0}", "dog"], {"group": "{x}"})
    write_manifests(tmp_path, tmp_path, {"test": [clip]}, ["{0}", "dog"])
    entries = load_data_json(
        tmp_path / "test.json", {"data_root": str(tmp_path)}
    )
    assert entries["a"]["wav"] == f"{tmp_path}/{name}"
    assert entries["a"]["label"] == ["{0}", "dog"]
    assert entries["a"]["group"] == "{x}"
