"""Tests of the data preparation for IEMOCAP, on the miniature."""

import importlib.util
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from speechbrain_petl.demo.acted import write_iemocap

from speechbrain.dataio.encoder import CategoricalEncoder

RECIPE = Path(__file__).parents[2] / "recipes" / "IEMOCAP"
EVALUATION = "Session2/dialog/EmoEvaluation/Ses02F_impro01.txt"


def load_recipe():
    """Imports the script by its path, as recipes are no package."""
    spec = importlib.util.spec_from_file_location(
        "iemocap_prepare", RECIPE / "iemocap_prepare.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


recipe = load_recipe()


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """The miniature, to be read only."""
    folder = tmp_path_factory.mktemp("corpus") / "IEMOCAP"
    return write_iemocap(folder, takes=1, seconds=0.1)


@pytest.fixture
def corpus(original, tmp_path):
    """A copy to be damaged."""
    return Path(shutil.copytree(original, tmp_path / "IEMOCAP"))


def read(folder):
    """The manifests in a folder."""
    return {
        split: json.loads((folder / f"{split}.json").read_text("utf-8"))
        for split in ("train", "valid", "test")
    }


def speakers_of(manifest):
    """The speakers in a manifest."""
    return sorted({entry["speaker"] for entry in manifest.values()})


def test_four_classes_of_seven_emotions(original, tmp_path, caplog):
    recipe.prepare_iemocap(str(original), str(tmp_path))
    manifests = read(tmp_path)
    entries = {k: e for m in manifests.values() for k, e in m.items()}
    labels = Counter(entry["label"] for entry in entries.values())
    assert labels == {"neu": 20, "hap": 40, "sad": 20, "ang": 20}
    for name, entry in manifests["test"].items():
        dialog, _, turn = name.rpartition("_")
        assert entry["speaker"] == "5M" and turn[0] == "M"
        path = f"Session5/sentences/wav/{dialog}/{name}.wav"
        assert entry["wav"] == "{data_root}/" + path
    encoder = CategoricalEncoder.from_saved(tmp_path / "label_encoder.txt")
    assert list(encoder.lab2ind) == ["neu", "hap", "sad", "ang"]
    assert "20 of 1708 utterances of neu, 40 of 1636" in caplog.text
    assert "speakers" not in caplog.text


def test_the_published_sizes():
    assert sum(recipe.N_CLIPS.values()) == 5531


def test_the_ten_speaker_folds_are_petl_asts(original, tmp_path):
    pairs = []
    for fold in range(1, 11):
        recipe.prepare_iemocap(original, tmp_path, fold)
        manifests = read(tmp_path)
        (valid,), (test,) = map(
            speakers_of, (manifests["valid"], manifests["test"])
        )
        assert valid[0] == test[0]
        assert len(speakers_of(manifests["train"])) == 8
        pairs.append((valid, test))
    assert pairs[:4] == [("5F", "5M"), ("5M", "5F"), ("1F", "1M"), ("1M", "1F")]
    assert [int(v[0]) for v, _ in pairs] == [5, 5, 1, 1, 2, 2, 3, 3, 4, 4]
    assert len({test for _, test in pairs}) == 10


def test_sessions_share_no_speaker(original, tmp_path):
    for fold in range(1, 6):
        recipe.prepare_iemocap(original, tmp_path, fold, "session")
        speakers = {k: speakers_of(m) for k, m in read(tmp_path).items()}
        assert speakers["test"] == [f"{fold}F", f"{fold}M"]
        before = (fold - 2) % 5 + 1
        assert speakers["valid"] == [f"{before}F", f"{before}M"]
        assert len(set().union(*speakers.values())) == 10
        assert len(speakers["train"]) == 6


def test_an_excerpt_of_some_sessions(corpus, tmp_path, caplog):
    for session in (1, 3, 4):
        shutil.rmtree(corpus / f"Session{session}")
    recipe.prepare_iemocap(corpus, tmp_path / "save", test_fold=5)
    assert speakers_of(read(tmp_path / "save")["train"]) == ["5F", "5M"]
    assert "4 of 10 speakers" in caplog.text
    with pytest.raises(ValueError, match="left for the valid split"):
        recipe.prepare_iemocap(corpus, tmp_path / "save", test_fold=3)


@pytest.mark.parametrize(
    "line",
    [
        "[0.0 - 1.0]\tSes02F_impro01_M000\tneu",
        "[0.0 - 1.0]\tSes01F_impro01_M000\tneu\t[2, 2, 2]",
        "[0.0 - 1.0]\tSes02F_impro01_X000\tneu\t[2, 2, 2]",
        "[0.0 - 1.0]\tSes02F_impro01_M000\tjoy\t[2, 2, 2]",
    ],
)
def test_a_malformed_evaluation_is_named(corpus, tmp_path, line):
    file = corpus / EVALUATION
    file.write_text(file.read_text() + line + "\n")
    number = len(file.read_text().splitlines())
    with pytest.raises(ValueError, match=f"line {number}: .*is no") as error:
        recipe.prepare_iemocap(corpus, tmp_path / "save")
    assert EVALUATION in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "save").exists()


def test_a_missing_utterance_is_named(corpus, tmp_path):
    next(corpus.glob("Session4/sentences/wav/*/*_F000.wav")).unlink()
    with pytest.raises(ValueError, match="1 of 100 .*_F000.wav .missing"):
        recipe.prepare_iemocap(corpus, tmp_path / "save")


def test_what_is_not_there_is_said(corpus, tmp_path):
    with pytest.raises(FileNotFoundError, match="sail.usc.edu"):
        recipe.prepare_iemocap(tmp_path / "gone", tmp_path)
    with pytest.raises(FileNotFoundError, match="it has no Session1/dialog"):
        recipe.prepare_iemocap(corpus / "Session1", tmp_path)
    for file in corpus.glob("Session3/dialog/EmoEvaluation/Ses*"):
        file.unlink()
    with pytest.raises(ValueError, match="holds no evaluation such as Ses03F"):
        recipe.prepare_iemocap(corpus, tmp_path)
    with pytest.raises(ValueError, match="'x': give one of speaker, session"):
        recipe.prepare_iemocap(corpus, tmp_path, protocol="x")
    with pytest.raises(ValueError, match="folds of the protocol speaker are 1"):
        recipe.prepare_iemocap(corpus, tmp_path, test_fold=11)
    with pytest.raises(ValueError, match="are 1 to 5"):
        recipe.prepare_iemocap(corpus, tmp_path, 6, "session")
