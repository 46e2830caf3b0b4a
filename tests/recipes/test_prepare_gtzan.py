"""Tests of the data preparation for GTZAN, on tiny copies."""

import importlib.util
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from speechbrain_petl.demo.corpora import write_small
from speechbrain_petl.demo.music import write_gtzan

from speechbrain.dataio.encoder import CategoricalEncoder

RECIPE = Path(__file__).parents[2] / "recipes" / "GTZAN"


def load_recipe():
    """Imports the script by its path, as recipes are no package."""
    spec = importlib.util.spec_from_file_location(
        "gtzan_prepare", RECIPE / "gtzan_prepare.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


recipe = load_recipe()


def write_whole(root):
    """All thousand clips, of ten samples each."""
    soundfile.write(root / "clip.wav", np.zeros(10), 22050)
    content = (root / "clip.wav").read_bytes()
    for genre in recipe.GENRES:
        folder = root / "genres" / genre
        folder.mkdir(parents=True)
        for number in range(100):
            (folder / f"{genre}.{number:05}.wav").write_bytes(content)
    return root


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """As many clips as the corpus has."""
    return write_whole(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def corpus(tmp_path):
    """The miniature."""
    return write_small("gtzan", tmp_path / "GTZAN")


def read(folder):
    """The manifests in a folder."""
    return {
        split: json.loads((folder / f"{split}.json").read_text("utf-8"))
        for split in ("train", "valid", "test")
    }


def test_the_filtered_lists_have_the_published_sizes(whole, tmp_path, caplog):
    recipe.prepare_gtzan(str(whole), str(tmp_path))
    manifests = read(tmp_path)
    sizes = {split: len(manifest) for split, manifest in manifests.items()}
    assert sizes == {"train": 443, "valid": 197, "test": 290}
    assert len(set().union(*manifests.values())) == 930
    assert manifests["train"]["blues.00029"] == {
        "wav": "{data_root}/genres/blues/blues.00029.wav",
        "duration": pytest.approx(10 / 22050),
        "label": "blues",
    }
    encoder = CategoricalEncoder.from_saved(tmp_path / "label_encoder.txt")
    assert list(encoder.lab2ind) == recipe.GENRES
    assert "not the whole" not in caplog.text


def test_the_papers_folds_test_each_clip_once(whole, tmp_path, caplog):
    tested = Counter()
    for fold in range(1, 11):
        recipe.prepare_gtzan(whole, tmp_path, "paper", fold)
        manifests = read(tmp_path)
        assert len(manifests["train"]) == 900 and manifests["valid"] == {}
        genres = Counter(e["label"] for e in manifests["test"].values())
        assert genres == dict.fromkeys(recipe.GENRES, 10)
        assert not set(manifests["train"]) & set(manifests["test"])
        assert {e["fold"] for e in manifests["test"].values()} == {fold}
        tested.update(list(manifests["test"]))
    assert len(tested) == 1000 and set(tested.values()) == {1}
    assert "not the whole" not in caplog.text


def test_the_table_of_splits_agrees_with_torchaudios_lists():
    lists = pytest.importorskip("torchaudio.datasets.gtzan")
    rows = recipe.read_table(recipe.SPLITS, ["clip", "fault_filtered"])
    for split in ("train", "valid", "test"):
        ours = [r["clip"] for r in rows if r["fault_filtered"] == split]
        assert ours == getattr(lists, f"filtered_{split}")


def test_the_miniature_in_both_formats(corpus, tmp_path, caplog):
    recipe.prepare_gtzan(corpus, tmp_path / "save")
    manifests = read(tmp_path / "save")
    for manifest in manifests.values():
        assert {e["label"] for e in manifest.values()} == set(recipe.GENRES[:4])
    suffixes = {
        Path(e["wav"]).suffix: e["label"] for e in manifests["test"].values()
    }
    assert suffixes[".au"] == "blues" and ".wav" in suffixes
    assert " of 443 train clips" in caplog.text
    assert "4 of 10 genres" in caplog.text


def test_the_broken_clip_is_named_and_left_out(tmp_path, caplog):
    corpus = write_gtzan(tmp_path / "GTZAN", genres=6, seconds=0.1)
    for protocol in ("fault_filtered", "paper"):
        caplog.clear()
        recipe.prepare_gtzan(corpus, tmp_path / "save", protocol)
        assert "jazz.00054.wav is unreadable, as in many" in caplog.text
        manifests = read(tmp_path / "save")
        assert not any("jazz.00054" in m for m in manifests.values())


def test_another_broken_clip_stops(corpus, tmp_path):
    clip = sorted(corpus.glob("*/disco/*.wav"))[0]
    clip.write_bytes(b"no audio")
    (corpus / "genres_original" / "jazz").mkdir()
    broken = corpus / "genres_original" / "jazz" / "jazz.00054.wav"
    broken.write_bytes(b"no audio")
    with pytest.raises(ValueError, match="1 of .*disco.*unreadable"):
        recipe.prepare_gtzan(corpus, tmp_path / "save", "paper")
    recipe.prepare_gtzan(corpus, tmp_path, "paper", skip_bad_audio=True)
    assert clip.stem not in read(tmp_path)["train"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pop/blues.00001.wav", "pop/blues.00001.wav is not one of GTZAN's"),
        ("pop/pop.00100.wav", "pop.00000 to pop.00099"),
        ("polka/polka.00001.wav", "polka of .* are not genres of GTZAN"),
    ],
)
def test_files_that_are_not_the_corpus(corpus, tmp_path, name, message):
    path = corpus / "genres_original" / name
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, np.zeros(10), 16000)
    with pytest.raises(ValueError, match=message) as error:
        recipe.prepare_gtzan(corpus, tmp_path / "save")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "save").exists()


def test_what_is_not_there_is_said(corpus, tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        recipe.prepare_gtzan(tmp_path / "gone", tmp_path)
    with pytest.raises(FileNotFoundError, match="genres_original and genres"):
        recipe.prepare_gtzan(corpus / "genres_original" / "blues", tmp_path)
    with pytest.raises(ValueError, match="'x': give one of fault_filtered, p"):
        recipe.prepare_gtzan(corpus, tmp_path, protocol="x")
    with pytest.raises(ValueError, match="test_fold is 11"):
        recipe.prepare_gtzan(corpus, tmp_path, "paper", test_fold=11)
