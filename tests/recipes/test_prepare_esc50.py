"""Tests of the data preparation for ESC-50, on a tiny corpus."""

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speechbrain.dataio.encoder import CategoricalEncoder

RECIPE = Path(__file__).parents[2] / "recipes" / "ESC50"
CLASSES = {41: "chainsaw", 0: "dog", 7: "rooster"}


def load_recipe():
    """Imports the script by its path, as recipes are no package."""
    spec = importlib.util.spec_from_file_location(
        "esc50_prepare", RECIPE / "esc50_prepare.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


recipe = load_recipe()


def write_corpus(root, folds=range(1, 6), line=""):
    """Two clips of each of three classes in each fold."""
    (root / "audio").mkdir(parents=True)
    (root / "meta").mkdir()
    lines = ["filename,fold,target,category,esc10,src_file,take"]
    for fold in folds:
        for target, category in CLASSES.items():
            for take in "AB":
                name = f"{fold}-100-{take}-{target}.wav"
                soundfile.write(root / "audio" / name, np.zeros(800), 16000)
                lines.append(f"{name},{fold},{target},{category},True,1,{take}")
    text = "\n".join([*lines, line]).strip() + "\n"
    (root / "meta" / "esc50.csv").write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def corpus(tmp_path):
    """A tiny ESC-50."""
    return write_corpus(tmp_path / "ESC-50")


def read(folder):
    """The manifests in a folder."""
    return {
        split: json.loads((folder / f"{split}.json").read_text("utf-8"))
        for split in ("train", "valid", "test")
    }


def folds_of(manifest):
    """The folds in a manifest."""
    return sorted({entry["fold"] for entry in manifest.values()})


def test_the_papers_folds_and_the_official_labels(corpus, tmp_path, caplog):
    before = {path: path.stat().st_mtime_ns for path in corpus.rglob("*")}
    recipe.prepare_esc50(str(corpus), str(tmp_path / "save"), test_fold=1)
    manifests = read(tmp_path / "save")
    assert {split: len(m) for split, m in manifests.items()} == {
        "train": 18,
        "valid": 6,
        "test": 6,
    }
    assert folds_of(manifests["train"]) == [2, 3, 4]
    assert folds_of(manifests["valid"]) == [5]
    assert folds_of(manifests["test"]) == [1]
    assert manifests["test"]["1-100-A-41"] == {
        "wav": "{data_root}/audio/1-100-A-41.wav",
        "duration": 0.05,
        "label": "chainsaw",
        "fold": 1,
    }
    encoder = CategoricalEncoder.from_saved(tmp_path / "save/label_encoder.txt")
    assert encoder.ind2lab == {0: "dog", 1: "rooster", 2: "chainsaw"}
    assert "30 of 2000 clips, 3 of 50 classes:" in caplog.text
    assert len(caplog.records) == 1
    assert before == {p: p.stat().st_mtime_ns for p in corpus.rglob("*")}


def test_no_clip_is_in_two_splits_and_labels_do_not_depend_on_the_fold(
    corpus, tmp_path
):
    maps = set()
    for fold in range(1, 6):
        recipe.prepare_esc50(corpus, tmp_path / "save", test_fold=fold)
        manifests = read(tmp_path / "save").values()
        assert len(set().union(*manifests)) == sum(map(len, manifests)) == 30
        maps.add((tmp_path / "save" / "label_encoder.txt").read_text("utf-8"))
    assert len(maps) == 1


def test_the_usual_protocol_validates_nothing(corpus, tmp_path):
    recipe.prepare_esc50(corpus, tmp_path / "save", test_fold=3)
    recipe.prepare_esc50(corpus, tmp_path / "save", 3, protocol="usual")
    manifests = read(tmp_path / "save")
    folds = {
        split: sorted({clip["fold"] for clip in clips.values()})
        for split, clips in manifests.items()
    }
    # Nothing of the run before is left.
    assert folds == {"train": [1, 2, 4, 5], "valid": [], "test": [3]}
    with pytest.raises(ValueError, match="'paper': give one of rotate, usual"):
        recipe.prepare_esc50(corpus, tmp_path / "new", protocol="paper")
    assert not (tmp_path / "new").exists()


def test_explicit_folds_win(corpus, tmp_path):
    recipe.prepare_esc50(
        corpus,
        tmp_path / "save",
        test_fold=1,
        train_folds=[1, 2],
        valid_folds=[3],
        test_folds=[4, 5],
    )
    manifests = read(tmp_path / "save")
    assert folds_of(manifests["train"]) == [1, 2]
    assert folds_of(manifests["test"]) == [4, 5]


@pytest.mark.parametrize(
    "folds, message",
    [
        ({"test_fold": 6}, "test_fold is 6.*1 to 5"),
        ({"train_folds": [1]}, "go together"),
        (
            {"train_folds": [1], "valid_folds": [2], "test_folds": [2]},
            "Fold 2 is in both valid and test",
        ),
        (
            {"train_folds": [1], "valid_folds": [], "test_folds": [2]},
            "valid folds is empty",
        ),
    ],
)
def test_bad_folds_write_nothing(folds, message, corpus, tmp_path):
    with pytest.raises(ValueError, match=message):
        recipe.prepare_esc50(corpus, tmp_path / "save", **folds)
    assert not (tmp_path / "save").exists()


def test_some_of_the_folds(tmp_path, caplog):
    corpus = write_corpus(tmp_path / "ESC-50", folds=[1, 2, 5])
    recipe.prepare_esc50(corpus, tmp_path / "save", test_fold=1)
    assert folds_of(read(tmp_path / "save")["train"]) == [2]
    assert "[3, 4]" in caplog.text and "3 of 5 folds" in caplog.text
    with pytest.raises(ValueError, match="Fold 4, wanted for valid"):
        recipe.prepare_esc50(corpus, tmp_path / "save", test_fold=5)


def test_wrong_folders(corpus, tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder .*download"):
        recipe.prepare_esc50(tmp_path / "gone", tmp_path / "save")
    with pytest.raises(FileNotFoundError, match="no meta/esc50.csv"):
        recipe.prepare_esc50(tmp_path, tmp_path / "save", download=True)


@pytest.mark.parametrize(
    "line, message",
    [
        ("a.wav,7,0,dog,True,1,A", "line 32: column 'fold' is '7'.*1 to 5"),
        ("a.wav,1,50,dog,True,1,A", "line 32: column 'target' is '50'"),
        ("a.wav,1,0,cat,True,1,A", "Class 0 is called both 'dog' and 'cat'"),
        ("a.wav,1,0", "line 32: column 'category' is missing"),
        ("1-100-A-0.wav,1,0,dog,True,1,A", "more than once: 1-100-A-0"),
        ("../../a.wav,1,0,dog,True,1,A", "not inside that folder"),
        ("a.wav,1,0,dog,True,1,A", "1 of 31 .*: audio/a.wav .missing"),
    ],
)
def test_bad_metadata(line, message, tmp_path):
    corpus = write_corpus(tmp_path / "ESC-50", line=line)
    with pytest.raises(ValueError, match=message):
        recipe.prepare_esc50(corpus, tmp_path / "save")


def test_missing_audio_can_be_skipped(tmp_path):
    corpus = write_corpus(tmp_path / "E", line="a.wav,1,0,dog,True,1,A")
    recipe.prepare_esc50(corpus, tmp_path / "save", skip_bad_audio=True)
    assert len(read(tmp_path / "save")["test"]) == 6


def test_download_only_if_there_is_no_corpus(corpus, tmp_path, monkeypatch):
    asked = []

    def fetch(url, known_hash, folder, top_level):
        asked.append((url, known_hash, top_level))
        write_corpus(Path(folder))

    monkeypatch.setattr(recipe, "fetch_archive", fetch)
    recipe.prepare_esc50(corpus, tmp_path / "save", download=True)
    assert asked == []
    recipe.prepare_esc50(tmp_path / "new", tmp_path / "save", download=True)
    assert asked == [(recipe.ARCHIVE, recipe.CHECKSUM, "ESC-50-master")]


@pytest.mark.skipif(
    "SPEECHBRAIN_PETL_DATA" not in os.environ, reason="needs real data"
)
def test_esc10(tmp_path):
    corpus = Path(os.environ["SPEECHBRAIN_PETL_DATA"]) / "ESC-10"
    if not corpus.is_dir():
        pytest.skip("ESC-10 is not there")
    recipe.prepare_esc50(corpus, tmp_path, test_fold=5)
    sizes = [len(manifest) for manifest in read(tmp_path).values()]
    assert sizes == [240, 80, 80]
    encoder = CategoricalEncoder.from_saved(tmp_path / "label_encoder.txt")
    assert len(encoder) == 10 and encoder.encode_label("dog") == 0
