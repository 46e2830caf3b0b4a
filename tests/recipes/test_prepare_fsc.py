"""Tests of the data preparation for Fluent Speech Commands, on a tiny one."""

import csv
import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speechbrain.dataio.encoder import CategoricalEncoder

RECIPE = Path(__file__).parents[2] / "recipes" / "FluentSpeechCommands"
HEADER = [
    "",
    "path",
    "speakerId",
    "transcription",
    "action",
    "object",
    "location",
]
UTTERANCES = [
    ("Lights on, please", "activate", "lights", "kitchen"),
    ('Say "stop"', "deactivate", "music", "none"),
]


def load_recipe():
    """Imports the script by its path, as recipes are no package."""
    spec = importlib.util.spec_from_file_location(
        "fsc_prepare", RECIPE / "fsc_prepare.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


recipe = load_recipe()


def write_corpus(root, speakers=("ann", "bob", "cat")):
    """Two utterances by the speaker of each split."""
    (root / "data").mkdir(parents=True)
    for split, speaker in zip(("train", "valid", "test"), speakers):
        folder = root / "wavs" / "speakers" / speaker
        folder.mkdir(parents=True, exist_ok=True)
        rows = [HEADER]
        for i, utterance in enumerate(UTTERANCES):
            name = f"{split}-{i}.wav"
            soundfile.write(folder / name, np.zeros(800), 16000)
            path = f"wavs/speakers/{speaker}/{name}"
            rows.append([str(i), path, speaker, *utterance])
        table = root / "data" / f"{split}_data.csv"
        with open(table, "w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows(rows)
    return root


@pytest.fixture
def corpus(tmp_path):
    """A tiny Fluent Speech Commands."""
    return write_corpus(tmp_path / "fsc")


def read(folder):
    """The manifests in a folder."""
    return {
        split: json.loads((folder / f"{split}.json").read_text("utf-8"))
        for split in ("train", "valid", "test")
    }


def test_official_splits_and_intents(corpus, tmp_path, caplog):
    recipe.prepare_fsc(str(corpus), str(tmp_path / "save"))
    manifests = read(tmp_path / "save")
    assert manifests["valid"] == {
        "bob_valid-0": {
            "wav": "{data_root}/wavs/speakers/bob/valid-0.wav",
            "duration": 0.05,
            "label": "activate|lights|kitchen",
            "speaker": "bob",
            "transcription": "Lights on, please",
        },
        "bob_valid-1": {
            "wav": "{data_root}/wavs/speakers/bob/valid-1.wav",
            "duration": 0.05,
            "label": "deactivate|music|none",
            "speaker": "bob",
            "transcription": 'Say "stop"',
        },
    }
    encoder = CategoricalEncoder.from_saved(tmp_path / "save/label_encoder.txt")
    assert encoder.ind2lab == {
        0: "activate|lights|kitchen",
        1: "deactivate|music|none",
    }
    assert "2 of 23132 train clips" in caplog.text
    assert "2 of 31 intents" in caplog.text
    assert "speakers are in both" not in caplog.text


def test_shared_speakers_are_warned_of(tmp_path, caplog):
    corpus = write_corpus(tmp_path / "fsc", ("ann", "bob", "ann"))
    recipe.prepare_fsc(corpus, tmp_path / "save")
    assert "1 speakers are in both train and test: ann" in caplog.text


def test_a_label_that_only_the_test_split_has_is_in_the_map(corpus, tmp_path):
    table = corpus / "data" / "test_data.csv"
    table.write_text(table.read_text("utf-8").replace("music", "heat"))
    recipe.prepare_fsc(corpus, tmp_path)
    encoder = CategoricalEncoder.from_saved(tmp_path / "label_encoder.txt")
    assert "deactivate|heat|none" in encoder.lab2ind


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("location", "place", "line 1: no column location"),
        (",music,none", ",music", "line 3: column 'location' is missing"),
        (",music,", ",,", "line 3: column 'object' has no value"),
        ("train-1", "gone", "1 of 6 .*/gone.wav .missing"),
        ("train-1", "train-0", "more than once: ann_train-0"),
    ],
)
def test_bad_tables(old, new, message, corpus, tmp_path):
    table = corpus / "data" / "train_data.csv"
    table.write_text(table.read_text("utf-8").replace(old, new))
    with pytest.raises(ValueError, match=message):
        recipe.prepare_fsc(corpus, tmp_path / "save")
    assert not (tmp_path / "save").exists()


def test_no_corpus_says_where_to_ask(corpus, tmp_path):
    with pytest.raises(FileNotFoundError, match="asked for at https://fluent"):
        recipe.prepare_fsc(tmp_path / "gone", tmp_path)
    (corpus / "data" / "valid_data.csv").unlink()
    with pytest.raises(FileNotFoundError, match="no data/valid_data.csv"):
        recipe.prepare_fsc(corpus, tmp_path)


@pytest.mark.skipif(
    "SPEECHBRAIN_PETL_DATA" not in os.environ, reason="needs real data"
)
def test_real_layout(tmp_path):
    root = Path(os.environ["SPEECHBRAIN_PETL_DATA"]) / "FluentSpeechCommands"
    if not root.is_dir():
        pytest.skip("Fluent Speech Commands is not there")
    recipe.prepare_fsc(root, tmp_path)
    encoder = CategoricalEncoder.from_saved(tmp_path / "label_encoder.txt")
    assert len(encoder) == 31
