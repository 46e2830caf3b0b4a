"""Tests of the data preparation for UrbanSound8K, on a tiny corpus."""

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speechbrain.dataio.encoder import CategoricalEncoder

RECIPE = Path(__file__).parents[2] / "recipes" / "UrbanSound8k"
CLASSES = {8: "siren", 0: "air_conditioner"}


def load_recipe():
    """Imports the script by its path, as recipes are no package."""
    spec = importlib.util.spec_from_file_location(
        "urbansound8k_prepare", RECIPE / "urbansound8k_prepare.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


recipe = load_recipe()


def write_corpus(root, folds=range(1, 11), suffix="wav"):
    """A clip of each of two classes in each fold."""
    (root / "metadata").mkdir(parents=True)
    lines = ["slice_file_name,fsID,start,end,salience,fold,classID,class"]
    for fold in folds:
        (root / "audio" / f"fold{fold}").mkdir(parents=True)
        for number, name in CLASSES.items():
            file = f"{100 + fold}-{number}-0-0.{suffix}"
            path = root / "audio" / f"fold{fold}" / file
            soundfile.write(path, np.zeros(800), 16000)
            lines.append(
                f"{file},{100 + fold},0.0,4.0,1,{fold},{number},{name}"
            )
    text = "\n".join(lines) + "\n"
    (root / "metadata" / "UrbanSound8K.csv").write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def corpus(tmp_path):
    """A tiny UrbanSound8K."""
    return write_corpus(tmp_path / "UrbanSound8K")


def read(folder):
    """The manifests in a folder."""
    return {
        split: json.loads((folder / f"{split}.json").read_text("utf-8"))
        for split in ("train", "valid", "test")
    }


def folds_of(manifest):
    """The folds in a manifest."""
    return sorted({entry["fold"] for entry in manifest.values()})


def test_rotation_and_the_official_labels(corpus, tmp_path, caplog):
    recipe.prepare_urbansound8k(str(corpus), str(tmp_path / "save"), 1)
    manifests = read(tmp_path / "save")
    assert folds_of(manifests["train"]) == list(range(2, 10))
    assert folds_of(manifests["valid"]) == [10]
    assert manifests["test"] == {
        "101-0-0-0": {
            "wav": "{data_root}/audio/fold1/101-0-0-0.wav",
            "duration": 0.05,
            "label": "air_conditioner",
            "fold": 1,
        },
        "101-8-0-0": {
            "wav": "{data_root}/audio/fold1/101-8-0-0.wav",
            "duration": 0.05,
            "label": "siren",
            "fold": 1,
        },
    }
    encoder = CategoricalEncoder.from_saved(tmp_path / "save/label_encoder.txt")
    assert encoder.ind2lab == {0: "air_conditioner", 1: "siren"}
    assert "20 of 8732 clips, 2 of 10 classes:" in caplog.text


def test_the_papers_protocol_has_no_validation_set(corpus, tmp_path):
    recipe.prepare_urbansound8k(corpus, tmp_path, test_fold=3)
    recipe.prepare_urbansound8k(corpus, tmp_path, 3, protocol="paper")
    manifests = read(tmp_path)
    assert folds_of(manifests["train"]) == [1, 2, 4, 5, 6, 7, 8, 9, 10]
    # Not left over from the run before.
    assert manifests["valid"] == {}
    assert folds_of(manifests["test"]) == [3]


def test_an_empty_validation_set_has_to_be_asked_for(corpus, tmp_path):
    lists = {"train_folds": [1], "valid_folds": [], "test_folds": [2]}
    with pytest.raises(ValueError, match="valid folds is empty"):
        recipe.prepare_urbansound8k(corpus, tmp_path / "save", **lists)
    with pytest.raises(ValueError, match="'none': give one of rotate, paper"):
        recipe.prepare_urbansound8k(corpus, tmp_path / "s", protocol="none")


def test_an_excerpt_with_some_folds_in_another_format(tmp_path, caplog):
    corpus = write_corpus(tmp_path / "US8K", [1, 2, 10], suffix="ogg")
    recipe.prepare_urbansound8k(corpus, tmp_path / "save", test_fold=2)
    manifests = read(tmp_path / "save")
    assert folds_of(manifests["train"]) == [10]
    assert "[3, 4, 5, 6, 7, 8, 9]" in caplog.text
    assert "3 of 10 folds" in caplog.text
    with pytest.raises(ValueError, match="Fold 9, wanted for valid.*1, 2, 10"):
        recipe.prepare_urbansound8k(corpus, tmp_path / "save", test_fold=10)


def test_a_clip_in_the_wrong_fold_is_missing(corpus, tmp_path):
    clip = corpus / "audio" / "fold4" / "104-8-0-0.wav"
    clip.rename(corpus / "audio" / "fold5" / clip.name)
    with pytest.raises(ValueError, match="fold4/104-8-0-0.wav .missing"):
        recipe.prepare_urbansound8k(corpus, tmp_path / "save")


def test_no_corpus_says_where_to_get_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="urbansounddataset"):
        recipe.prepare_urbansound8k(tmp_path / "gone", tmp_path)


@pytest.mark.skipif(
    "SPEECHBRAIN_PETL_DATA" not in os.environ, reason="needs real data"
)
def test_real_excerpt(tmp_path):
    corpus = Path(os.environ["SPEECHBRAIN_PETL_DATA"]) / "UrbanSound8K"
    if not corpus.is_dir():
        pytest.skip("UrbanSound8K is not there")
    recipe.prepare_urbansound8k(corpus, tmp_path, 10, protocol="paper")
    assert all(
        (corpus / entry["wav"].removeprefix("{data_root}/")).is_file()
        for manifest in read(tmp_path).values()
        for entry in manifest.values()
    )
    encoder = CategoricalEncoder.from_saved(tmp_path / "label_encoder.txt")
    assert encoder.decode_ndim(list(range(10)))[9] == "street_music"
