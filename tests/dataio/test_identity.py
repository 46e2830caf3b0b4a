"""Data are told apart by the content of every file."""

import json

import pytest
from speechbrain_petl.dataio.identity import data_of


@pytest.fixture
def hparams(tmp_path, monkeypatch):
    """Two manifests of a corpus of three files."""
    monkeypatch.setenv("SPEECHBRAIN_PETL_CACHE", str(tmp_path / "cache"))
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for name in "abc":
        (corpus / f"{name}.wav").write_bytes(name.encode())
    (tmp_path / "labels.txt").write_text("'cat' => 0\n")
    hparams = {
        "data_folder": str(corpus),
        "label_map": str(tmp_path / "labels.txt"),
        "epochs": 3,
    }
    for split, names in (("train", "ab"), ("test", "c")):
        entries = {
            name: {"wav": f"{{data_root}}/{name}.wav", "label": "cat"}
            for name in names
        }
        file = tmp_path / f"{split}.json"
        file.write_text(json.dumps(entries))
        hparams[f"{split}_manifest"] = str(file)
    return hparams


def changed(before, after):
    """The keys of what differs."""
    assert before.keys() == after.keys()
    return [key for key in before if before[key] != after[key]]


def test_a_file_of_other_content_is_told(hparams, tmp_path):
    before = data_of(hparams)
    assert before["train_manifest"]["clips"] == 2
    assert set(before) == {"train_manifest", "test_manifest", "label_map"}
    assert data_of(hparams) == before
    (tmp_path / "corpus" / "c.wav").write_bytes(b"d")  # of the same size
    assert changed(before, data_of(hparams)) == ["test_manifest"]


def test_entries_and_labels_count(hparams, tmp_path):
    before = data_of(hparams)
    file = tmp_path / "train.json"
    file.write_text(file.read_text().replace("cat", "dog", 1))
    assert changed(before, data_of(hparams)) == ["train_manifest"]
    before = data_of(hparams)
    (tmp_path / "labels.txt").write_text("'dog' => 0\n")
    assert changed(before, data_of(hparams)) == ["label_map"]


def test_where_the_corpus_lies_does_not_count(hparams, tmp_path):
    before = data_of(hparams)
    moved = (tmp_path / "corpus").rename(tmp_path / "moved")
    assert data_of({**hparams, "data_folder": str(moved)}) == before


def test_files_with_braces_in_their_names(hparams, tmp_path):
    """Manifests escape them, since SpeechBrain takes them for templates."""
    (tmp_path / "corpus" / "{b}.wav").write_bytes(b"first")
    entry = {"wav": "{data_root}/{{b}}.wav", "label": "cat"}
    (tmp_path / "test.json").write_text(json.dumps({"b": entry}))
    before = data_of(hparams)
    (tmp_path / "corpus" / "{b}.wav").write_bytes(b"other")
    assert changed(before, data_of(hparams)) == ["test_manifest"]
