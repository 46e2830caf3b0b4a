"""Tests of the data preparation for FSD50K, on the miniature."""

import importlib.util
import json
from pathlib import Path

import pytest
from speechbrain_petl.dataio.labels import load_label_encoder
from speechbrain_petl.dataio.multi_hot import multi_hot
from speechbrain_petl.demo.corpora import write_small
from speechbrain_petl.demo.tagged import MIDS

RECIPE = Path(__file__).parents[2] / "recipes" / "FSD50K"
TRUTH = "FSD50K.ground_truth"


def load_recipe():
    """Imports the script by its path, as recipes are no package."""
    spec = importlib.util.spec_from_file_location(
        "fsd50k_prepare", RECIPE / "fsd50k_prepare.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


recipe = load_recipe()


@pytest.fixture
def corpus(tmp_path):
    """The miniature: 18, 12 and 12 clips."""
    return write_small("fsd50k", tmp_path / "FSD50K")


def read(folder):
    """The manifests in a folder."""
    return {
        split: json.loads((folder / f"{split}.json").read_text("utf-8"))
        for split in ("train", "valid", "test")
    }


def test_official_splits_and_several_labels(corpus, tmp_path, caplog):
    recipe.prepare_fsd50k(str(corpus), str(tmp_path / "save"))
    manifests = read(tmp_path / "save")
    sizes = {split: len(manifest) for split, manifest in manifests.items()}
    assert sizes == {"train": 18, "valid": 12, "test": 12}
    entry = manifests["test"]["300000"]
    assert entry["wav"] == "{data_root}/FSD50K.eval_audio/300000.wav"
    dog = ["Bark", "Dog", "Domestic_animals_and_pets", "Animal"]
    assert entry["label"] == dog
    assert {e["wav"].split("/")[1] for e in manifests["valid"].values()} == {
        "FSD50K.dev_audio"
    }
    encoder = load_label_encoder(str(tmp_path / "save" / "label_encoder.txt"))
    assert list(encoder.lab2ind) == list(MIDS)
    target = multi_hot(entry["label"], encoder)
    given = [list(MIDS)[i] for i in target.nonzero().flatten().tolist()]
    assert sorted(given) == sorted(dog)
    assert "18 of 36796 train clips, 12 of 4170 valid clips" in caplog.text
    assert "12 of 10231 test clips, 12 of 200 classes" in caplog.text


def test_a_corpus_of_the_published_size_is_no_excerpt(
    corpus, tmp_path, caplog, monkeypatch
):
    sizes = {"train": 18, "valid": 12, "test": 12}
    monkeypatch.setattr(recipe, "N_CLIPS", sizes)
    monkeypatch.setattr(recipe, "N_CLASSES", 12)
    recipe.prepare_fsd50k(corpus, tmp_path / "save")
    assert caplog.text == ""


def test_the_published_sizes():
    assert sum(recipe.N_CLIPS.values()) == 51197


def edit(file, old, new):
    """Replaces a text once; it has to be there."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("table", "old", "new", "message"),
    [
        ("dev", '"Bark,Dog', '"Wolf,Dog', "line 2: column 'labels' has Wolf"),
        ("eval", '"Bark,Dog', '"Dog,Dog', "names a label twice"),
        ("dev", ",train\n", ",dev\n", "is 'dev', but should be train or val"),
        ("dev", "fname,labels", "fname,label", "line 1: no column labels"),
        ("vocabulary", "0,Alarm", "201,Alarm", "should be a number from 0 to"),
        ("vocabulary", "1,Animal", "0,Animal", "Class 0 is called both"),
    ],
)
def test_a_damaged_table_is_refused(corpus, tmp_path, table, old, new, message):
    edit(corpus / TRUTH / f"{table}.csv", old, new)
    with pytest.raises(ValueError, match=message) as error:
        recipe.prepare_fsd50k(corpus, tmp_path / "save")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "save").exists()


def test_a_clip_in_both_tables_is_refused(corpus, tmp_path):
    file = corpus / TRUTH / "eval.csv"
    file.write_text(file.read_text() + "100000,Siren,/m/03kmc9\n")
    audio = corpus / "FSD50K.eval_audio"
    (audio / "100000.wav").write_bytes((audio / "300000.wav").read_bytes())
    with pytest.raises(ValueError, match="1 clips .* more than once: 100000"):
        recipe.prepare_fsd50k(corpus, tmp_path / "save")


def test_classes_that_nothing_trains_are_named(corpus, tmp_path, caplog):
    file = corpus / TRUTH / "vocabulary.csv"
    file.write_text(file.read_text() + "12,Zipper_(clothing),/m/01s0vc\n")
    recipe.prepare_fsd50k(corpus, tmp_path / "save")
    assert "No clip trains 1 of the labels: Zipper_(clothing)." in caplog.text


def test_what_is_not_there_is_said(corpus, tmp_path):
    with pytest.raises(FileNotFoundError, match="zenodo.org/record/4060432"):
        recipe.prepare_fsd50k(tmp_path / "gone", tmp_path)
    (corpus / "FSD50K.dev_audio" / "100003.wav").unlink()
    with pytest.raises(ValueError, match="dev_audio/100003.wav .missing"):
        recipe.prepare_fsd50k(corpus, tmp_path / "save")
    (corpus / TRUTH / "vocabulary.csv").unlink()
    with pytest.raises(FileNotFoundError, match="has no .*vocabulary.csv"):
        recipe.prepare_fsd50k(corpus, tmp_path / "save")
