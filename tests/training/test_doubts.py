"""What is odd about data and masks is told before a run has ended."""

import json
from types import SimpleNamespace

import pytest
from speechbrain_petl.dataio.labels import write_label_map
from speechbrain_petl.training.doubts import doubts


@pytest.fixture
def hparams(tmp_path):
    """A run on three clips of 2 s, of the classes dog and {cat}."""
    clips = {
        name: {"wav": f"{name}.wav", "duration": 2.0, "label": label}
        for name, label in (("a", "dog"), ("b", "{{cat}}"), ("c", "dog"))
    }
    (tmp_path / "train.json").write_text(json.dumps(clips))
    write_label_map(tmp_path / "label_encoder.txt", ["dog", "{cat}"])
    return {
        "train_manifest": str(tmp_path / "train.json"),
        "label_map": str(tmp_path / "label_encoder.txt"),
        "backbone": SimpleNamespace(input_shape=(500, 128)),
        "time_mask": 80,
        "freq_mask": 24,
    }


def test_nothing_is_odd(hparams):
    assert doubts(hparams) == []
    assert doubts({}) == []


def test_a_class_without_training_clips(hparams, tmp_path):
    write_label_map(tmp_path / "label_encoder.txt", ["dog", "{cat}", "owl"])
    (said,) = doubts(hparams)
    assert said.startswith("1 of 3 classes have no training clip")
    assert said.endswith("learn them: owl.")


def test_several_labels_a_clip(hparams, tmp_path):
    clips = {"a": {"duration": 2.0, "label": ["dog", "owl"]}}
    (tmp_path / "train.json").write_text(json.dumps(clips))
    write_label_map(tmp_path / "label_encoder.txt", ["dog", "{cat}", "owl"])
    (said,) = doubts(hparams)
    assert said.endswith(": {cat}.")


@pytest.mark.parametrize(
    "key, width, told",
    [
        ("time_mask", 101, "time_mask 101 may hide more than half of the 200"),
        ("freq_mask", 65, "freq_mask 65 may hide more than half of the 128"),
        ("time_mask", 100, None),
        ("freq_mask", 64, None),
    ],
)
def test_masks_wider_than_half_a_clip(hparams, key, width, told):
    found = doubts({**hparams, key: width})
    assert (
        [told] == [said[: len(told)] for said in found] if told else not found
    )
