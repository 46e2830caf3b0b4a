"""Tests of what all data preparations share, on a tiny corpus."""

import json

import numpy as np
import pytest
import soundfile
from speechbrain_petl.dataio.corpus import require_corpus, warn_if_excerpt
from speechbrain_petl.dataio.labels import labels_by_index, write_label_map
from speechbrain_petl.dataio.manifests import Clip, write_manifests
from speechbrain_petl.dataio.metadata import read_table
from speechbrain_petl.utils.files import climbs_out, replacing

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


def test_dots_that_do_not_climb():
    assert not climbs_out("./audio/a..b.wav")


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    file = tmp_path / "train.json"
    file.write_text("old", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        with replacing(file) as temporary:
            temporary.write_text("ne", encoding="utf-8")
            raise KeyboardInterrupt
    assert file.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_label_map_keeps_the_order_given(tmp_path):
    write_label_map(tmp_path / "map.txt", ["z", "a|b", "m"])
    encoder = CategoricalEncoder.from_saved(tmp_path / "map.txt")
    assert encoder.ind2lab == {0: "z", 1: "a|b", 2: "m"}


def test_labels_by_index():
    assert labels_by_index([(9, "z"), (2, "b"), (9, "z")]) == ["b", "z"]
    with pytest.raises(ValueError, match="Class 1 is called both 'a' and 'b'"):
        labels_by_index([(1, "a"), (1, "b")])
    with pytest.raises(ValueError, match="both the numbers 1 and 2"):
        labels_by_index([(1, "a"), (2, "a")])


def table(tmp_path, text):
    """Writes a table."""
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_tables_with_quotes_line_ends_and_byte_order_mark(tmp_path):
    path = table(tmp_path, '\ufeffname,text,n\r\na,"so, ""it"" is",3\r\n')
    (row,) = read_table(path, ["name", "n"])
    assert row["name"] == "a" and row["text"] == 'so, "it" is'
    assert row.integer("n", range(4)) == 3


@pytest.mark.parametrize(
    "text, message",
    [
        ("name\na\n", "line 1: no column n among name"),
        ("", "line 1: no column name, n among none"),
        ("name,n\n", "has no rows"),
        ("name,n\na,1\nb\n", "line 3: column 'n' is missing"),
        ("name,n\na,1,2\n", "line 2: column 'n' is followed by more cells"),
        (b"name,n\n\xff,1\n", "not a table in UTF-8"),
    ],
)
def test_malformed_tables_are_refused(text, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read_table(table(tmp_path, text), ["name", "n"])


@pytest.mark.parametrize(
    "cell, message",
    [
        ("x", "line 2: column 'n' is 'x', but should be a number from 1 to 5"),
        ("6", "is '6', but should be a number from 1 to 5"),
        (" ", "line 2: column 'n' has no value"),
    ],
)
def test_malformed_numbers_are_refused(cell, message, tmp_path):
    (row,) = read_table(table(tmp_path, f"name,n\na,{cell}\n"), ["n"])
    with pytest.raises(ValueError, match=message):
        row.integer("n", range(1, 6))


def test_require_corpus(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder .*gone.*: get it"):
        require_corpus(tmp_path / "gone", ["m.csv"], "Corpus", "get it.")
    with pytest.raises(FileNotFoundError, match="not the root of.*no m.csv"):
        require_corpus(tmp_path, ["m.csv"], "Corpus", "get it.")
    table(tmp_path, "")
    assert require_corpus(str(tmp_path), ["t.csv"], "Corpus", "") == tmp_path


def test_warn_if_excerpt(tmp_path, caplog):
    warn_if_excerpt("Corpus", tmp_path, {"clips": (5, 5)})
    assert not caplog.records
    warn_if_excerpt("Corpus", tmp_path, {"clips": (3, 5), "folds": (1, 1)})
    assert "3 of 5 clips:" in caplog.text and "folds" not in caplog.text


def test_a_table_without_a_header(tmp_path):
    file = table(tmp_path, "0,Alarm\n1,Bark\n")
    rows = read_table(file, ["n", "name"], header=["n", "name"])
    assert [(r.line, r["n"], r["name"]) for r in rows] == [
        (1, "0", "Alarm"),
        (2, "1", "Bark"),
    ]
    with pytest.raises(ValueError, match="line 1: .*followed by more cells"):
        read_table(file, ["n"], header=["n"])


def test_a_clip_of_several_labels(corpus, tmp_path):
    clip = Clip("00", "audio/00.wav", ["b", "a"])
    write_manifests(tmp_path / "save", corpus, {"test": [clip]}, ["a", "b"])
    manifest = json.loads((tmp_path / "save" / "test.json").read_text("utf-8"))
    assert manifest["00"]["label"] == ["b", "a"]
