"""Tests of the data preparation for a folder of one's own sounds."""

import importlib.util
import json
import os
import shutil
from collections import Counter
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
import soundfile
from speechbrain_petl.dataio.datasets import make_datasets
from speechbrain_petl.dataio.labels import load_label_encoder
from speechbrain_petl.dataio.manifests import write_manifests

RECIPE = Path(__file__).parents[2] / "recipes" / "AudioFolder"
SPLITS = ("train", "valid", "test")


def load_recipe():
    """Imports the script by its path, as recipes are no package."""
    spec = importlib.util.spec_from_file_location(
        "audio_folder_prepare", RECIPE / "audio_folder_prepare.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


prepare = load_recipe().prepare_audio_folder


def noise(seed, seconds=0.6, rate=16000):
    """Samples of 16 bits that no other seed has."""
    generator = np.random.default_rng(seed)
    return generator.integers(-9000, 9000, int(seconds * rate), np.int16)


def write(path, wave=None, rate=16000, **options):
    """Writes a file, of noise that depends on its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = noise(crc32(str(path).encode())) if wave is None else wave
    soundfile.write(path, wave, rate, **options)


@pytest.fixture
def folder(tmp_path):
    """Three classes of ten sounds, each by five speakers."""
    root = tmp_path / "sounds"
    for seed, label in enumerate(("dog", "cat", "cow")):
        for i in range(10):
            path = root / label / f"{i % 5}_{i}.wav"
            write(path, noise(100 * seed + i))
    return root


@pytest.fixture
def run(tmp_path):
    """``run(folder, **options)``: the manifests and the record."""

    def manifests(folder, **options):
        """Prepares the folder."""
        target = tmp_path / "manifest"
        prepare(str(folder), str(target), **options)
        return {
            name: json.loads((target / f"{name}.json").read_text("utf-8"))
            for name in (*SPLITS, "groups")
        }

    return manifests


def fails(folder, tmp_path, **options):
    """The one error of a preparation that writes nothing."""
    with pytest.raises(ValueError) as error:
        prepare(str(folder), str(tmp_path / "manifest"), **options)
    assert not (tmp_path / "manifest").exists()
    return str(error.value)


def ids(found):
    """The clips of each split."""
    return {split: set(found[split]) for split in SPLITS}


def test_a_folder_of_classes(folder, run, tmp_path):
    found = run(folder)
    sizes = [len(found[split]) for split in SPLITS]
    assert sizes in ([21, 4, 5], [21, 5, 4])
    everything = [clip for split in SPLITS for clip in found[split]]
    assert len(everything) == len(set(everything)) == 30
    for split in SPLITS:
        labels = Counter(e["label"] for e in found[split].values())
        assert set(labels) == {"dog", "cat", "cow"}
    entry = found["train"].get("dog/0_0.wav") or found["test"].get(
        "dog/0_0.wav", found["valid"].get("dog/0_0.wav")
    )
    assert entry == {
        "wav": "{data_root}/dog/0_0.wav",
        "duration": 0.6,
        "label": "dog",
        "group": "dog/0_0.wav",
    }
    encoder = load_label_encoder(str(tmp_path / "manifest/label_encoder.txt"))
    assert encoder.ind2lab == {0: "cat", 1: "cow", 2: "dog"}
    assert found["groups"]["groups"] == [] and found["groups"]["notes"] == []
    assert found["groups"]["classes"]["cat"].keys() == set(SPLITS)


def test_the_seed_decides_and_the_order_does_not(folder, run, tmp_path):
    first = ids(run(folder))
    copy = tmp_path / "elsewhere" / "x"
    shutil.copytree(folder, copy)
    assert ids(run(copy)) == first
    assert ids(run(folder, split_seed=1)) != first


def speakers(manifest):
    """The speakers of a manifest."""
    return {Path(clip).name.split("_")[0] for clip in manifest}


def test_a_pattern_keeps_speakers_on_one_side(folder, run):
    found = run(folder, group_by=r"^(\d+)_")
    sides = [speakers(found[split]) for split in SPLITS]
    assert set.union(*sides) == set("01234") and sum(map(len, sides)) == 5
    (group, *_) = found["groups"]["groups"]
    assert group["reasons"][0]["why"] == r"pattern ^(\d+)_"
    assert len(group["splits"]) == 1 and len(group["sounds"]) == 6


def test_folds(folder, run):
    tested = []
    for fold in range(1, 6):
        found = run(folder, n_folds=5, test_fold=fold, group_by=r"^(\d+)_")
        assert {e["fold"] for e in found["test"].values()} == {fold}
        assert {e["fold"] for e in found["valid"].values()} == {
            (fold - 2) % 5 + 1
        }
        assert len(speakers(found["train"])) == 3
        tested += found["test"]
    assert len(tested) == len(set(tested)) == 30, "each is tested once"


def test_copies_stay_together(folder, run):
    shutil.copy(folder / "dog/0_0.wav", folder / "dog/copy.wav")
    wave = noise(7000, 1.5)
    write(folder / "dog/long.wav", wave)
    write(folder / "dog/same.flac", wave)
    write(folder / "dog/softer.ogg", wave[2000:] // 2)
    for seed in range(5):
        found = run(folder, split_seed=seed)
        for group in found["groups"]["groups"]:
            assert len(group["splits"]) == 1
        first, second = found["groups"]["groups"]
        assert first["sounds"] == ["dog/0_0.wav", "dog/copy.wav"]
        assert first["reasons"][0]["why"] == "equal samples"
        assert second["sounds"] == [
            "dog/long.wav",
            "dog/same.flac",
            "dog/softer.ogg",
        ]
        near = second["reasons"][1]
        assert near["why"] == "near-identical sound"
        assert near["later_s"] == pytest.approx(-0.125, abs=0.02)
    found = run(folder, near_duplicates=False)
    reasons = [g["reasons"] for g in found["groups"]["groups"]]
    assert [r["why"] for rs in reasons for r in rs] == ["equal samples"] * 2


def table(path, rows, header="file,label"):
    """Writes a table of sounds."""
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return str(path)


def test_a_table_with_groups_and_splits(folder, run, tmp_path):
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*.wav"))
    rows = [
        f"{name},{name.split('/')[0]},{'test' if i % 5 == 0 else 'train'},"
        f"{'anna' if i in (1, 5) else ''}"
        for i, name in enumerate(names)
    ]
    metadata = table(tmp_path / "t.csv", rows, "file,label,split,group")
    found = run(folder, metadata=metadata)
    assert set(found["test"]) == set(names[::5]), "given splits are kept"
    assert len(found["valid"]) in (3, 4, 5)
    drawn, leak = found["groups"]["notes"]
    assert "No split 'valid' is given" in drawn
    assert "divide 1 groups" in leak and names[1] in leak
    said = fails(folder, tmp_path / "x", metadata=metadata, n_folds=5)
    assert "Both splits and n_folds are given" in said


def test_splits_as_folders(tmp_path, run):
    for split, n in (("train", 6), ("val", 2), ("test", 2)):
        for label in ("dog", "cat"):
            for i in range(n):
                write(tmp_path / "d" / split / label / f"{i}.wav")
    found = run(tmp_path / "d")
    assert [len(found[split]) for split in SPLITS] == [12, 4, 4]
    assert all(clip.startswith("val/") for clip in found["valid"])
    shutil.rmtree(tmp_path / "d/train/cat")
    shutil.rmtree(tmp_path / "manifest")
    said = fails(tmp_path / "d", tmp_path)
    assert "1 classes have no sound in the training split: cat" in said


def test_tagging(folder, run, tmp_path):
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*.wav"))
    rows = [
        f"{name},{';'.join(['ab', 'b', '', 'a; b'][i % 4])}"
        if i % 4 == 0
        else f"{name},{['a;b', 'b', '', 'a; b'][i % 4]}"
        for i, name in enumerate(names)
    ]
    found = run(folder, metadata=table(tmp_path / "t.csv", rows))
    labels = Counter(
        tuple(e["label"]) for split in SPLITS for e in found[split].values()
    )
    assert labels == {("a", "b"): 15, ("b",): 8, (): 7}


def test_a_window_that_fits_most_sounds(folder, run):
    assert run(folder)["groups"]["window"] is None
    write(folder / "dog/long.wav", noise(1, 7.0))
    found = run(folder, window="auto")
    assert found["groups"]["window"] == 0.64
    durations = [
        e["duration"] for split in SPLITS for e in found[split].values()
    ]
    assert len(durations) == 30 + 11 and max(durations) == 0.64


def test_long_files_are_cut_into_windows(folder, run, tmp_path):
    write(folder / "dog/long.flac", noise(1, 7.0, 8000), 8000)
    found = run(folder, window=2.0)
    (split,) = (s for s in SPLITS if any("long" in clip for clip in found[s]))
    windows = {k: v for k, v in found[split].items() if "long" in k}
    assert [(e["start"], e["stop"]) for e in windows.values()] == [
        (0, 16000),
        (13333, 29333),
        (26667, 42667),
        (40000, 56000),
    ]
    assert list(windows)[1] == "dog/long.flac@1.67-3.67"
    assert {e["duration"] for e in windows.values()} == {2.0}
    encoder = load_label_encoder(str(tmp_path / "manifest/label_encoder.txt"))
    path = str(tmp_path / "manifest" / f"{split}.json")
    data = make_datasets({"x": path}, str(folder), encoder)["x"]
    lengths = {clip["id"]: len(clip["sig"]) for clip in data}
    assert all(lengths[name] == 32000 for name in windows)
    assert set(lengths.values()) == {32000, 9600}


def test_parts_of_files_that_a_table_names(tmp_path, run):
    write(tmp_path / "d/a.wav", noise(1, 10.0))
    rows = [f"a.wav,dog,{i},{i + 0.5}" for i in range(5)]
    rows += [f"b{i}.wav,{'cat' if i % 2 else 'dog'},," for i in range(8)]
    for i in range(8):
        write(tmp_path / f"d/b{i}.wav")
    rows.append("b1.wav,cat,0.1,")
    metadata = table(tmp_path / "t.csv", rows, "file,label,start,end")
    found = run(tmp_path / "d", metadata=metadata)
    (group, other) = found["groups"]["groups"]
    assert len(group["sounds"]) == 5 and len(group["splits"]) == 1
    assert group["reasons"][0] == {
        "why": "parts of one file",
        "value": "a.wav",
        "sounds": [f"a.wav@{i}-{i + 0.5}" for i in range(5)],
    }
    assert other["sounds"] == ["b1.wav", "b1.wav@0.1-"]
    everything = {k: v for s in SPLITS for k, v in found[s].items()}
    part = everything["a.wav@3.00-3.50"]
    assert (part["start"], part["stop"], part["duration"]) == (
        48000,
        56000,
        0.5,
    )
    assert everything["b1.wav@0.10-0.60"]["stop"] == 9600


def test_everything_that_is_wrong_is_in_one_list(folder, tmp_path):
    (folder / "dog/empty.wav").write_bytes(b"")
    (folder / "dog/text.wav").write_text("no audio" * 99)
    (folder / "cat/song.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(999))
    shutil.copy(folder / "dog/0_0.wav", folder / "cat/copy.wav")
    write(folder / "bird/1.wav")
    write(folder / "stray.wav")
    said = fails(folder, tmp_path, group_by="(")
    assert "1 audio files lie in no class's subfolder: stray.wav" in said
    assert "3 of 35 sounds cannot be used: cat/song.m4a (unreadable)" in said
    assert "copies: cat/copy.wav ('cat') and dog/0_0.wav ('dog')" in said
    assert "group_by is '(', which is no regular expression" in said
    assert "'bird' (1 group, 1 sound)" in said
    assert said.count("\n- ") == 5 and said.endswith("Nothing was written.")


def test_bad_sounds_may_be_left_out(folder, run, caplog):
    (folder / "dog/text.wav").write_text("no audio" * 99)
    shutil.copy(folder / "dog/0_0.wav", folder / "cat/copy.wav")
    found = run(folder, skip_bad_audio=True)
    everything = {clip for split in SPLITS for clip in found[split]}
    assert len(everything) == 29
    assert not everything & {"dog/text.wav", "dog/0_0.wav", "cat/copy.wav"}
    assert "dog/text.wav (unreadable); they are left out" in caplog.text
    assert sum("left out" in n for n in found["groups"]["notes"]) == 2


def test_a_file_that_only_decoding_finds_damaged(folder, tmp_path):
    path = folder / "dog/9_9.flac"
    write(path, noise(5, 3.0))
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = bytes(4000)
    path.write_bytes(data)
    assert "dog/9_9.flac (unreadable)" in fails(folder, tmp_path) or (
        "dog/9_9.flac (cut off)" in fails(folder, tmp_path)
    )


def test_parts_beyond_the_end_and_rows_that_repeat(tmp_path):
    for i in range(6):
        write(tmp_path / f"d/{i}.wav")
    rows = [f"{i}.wav,{'ab'[i % 2]},," for i in range(6)]
    rows += ["0.wav,a,0.1,2", "1.wav,b,3,", "2.wav,a,,", "gone.wav,b,,"]
    metadata = table(tmp_path / "t.csv", rows, "file,label,start,end")
    said = fails(tmp_path / "d", tmp_path, metadata=metadata)
    assert "0.wav@0.1-2 (has 0.6 s, and not 2 s)" in said
    assert "1.wav@3- (begins at 3 s, but ends at 0.6 s)" in said
    assert "gone.wav (missing)" in said
    assert "1 sounds are listed more than once: 2.wav;" in said


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda d: d.mkdir(), "There is no audio file in it"),
        (lambda d: [write(d / f"dog/{i}.wav") for i in range(5)], "only one,"),
        (
            lambda d: [
                write(d / f"{x}/{i}.wav") for x in "ab" for i in range(2)
            ],
            "2 classes have too few sounds",
        ),
        (
            lambda d: [
                write(d / f"0.{x}/{i}.wav") for x in "123" for i in range(4)
            ],
            "no quantities",
        ),
    ],
)
def test_folders_that_cannot_be_learned_from(make, message, tmp_path):
    make(tmp_path / "d")
    assert message in fails(tmp_path / "d", tmp_path)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"n_folds": 2}, "n_folds is 2: give 3 or more"),
        ({"n_folds": 5, "test_fold": 6}, "test_fold is 6"),
        ({"test_share": 1.2}, "test_share is 1.2"),
        ({"valid_share": 0.5, "test_share": 0.5}, "leave some sounds to train"),
        ({"valid_share": 0}, "valid_share is 0"),
        ({"window": 0}, "window is 0: give a number of seconds"),
        ({"window": "all"}, "window is 'all': give seconds, or auto"),
        ({"metadata": "gone.csv"}, "no table gone.csv"),
    ],
)
def test_impossible_settings(options, message, folder, tmp_path):
    assert message in fails(folder, tmp_path, **options)


def test_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder .*gone"):
        prepare(str(tmp_path / "gone"), str(tmp_path / "manifest"))


@pytest.mark.skipif(os.name == "nt", reason="names that Windows refuses")
def test_strange_names_come_through(tmp_path, run):
    names = ["{data_root.__class__}", "<b onload=x>", "ünï 声", "$(rm -rf ~)"]
    for label in names:
        for i in range(4):
            write(tmp_path / "d" / label / f"{label} {{{i}}}.wav")
    found = run(tmp_path / "d")
    encoder = load_label_encoder(str(tmp_path / "manifest/label_encoder.txt"))
    assert set(encoder.lab2ind) == set(names)
    for split in SPLITS:
        path = str(tmp_path / "manifest" / f"{split}.json")
        data = make_datasets({"x": path}, str(tmp_path / "d"), encoder)["x"]
        for clip in data:
            assert clip["id"].startswith(encoder.decode_ndim(clip["target"]))
    assert len(found["train"]) == 8


def test_a_preparation_that_fails_late_leaves_nothing(
    folder, tmp_path, monkeypatch
):
    def vanish(*args, **kwargs):
        """A file goes between the survey and the manifests."""
        (folder / "dog/0_0.wav").unlink()
        return write_manifests(*args, **kwargs)

    monkeypatch.setitem(prepare.__globals__, "write_manifests", vanish)
    assert "dog/0_0.wav (missing)" in fails(folder, tmp_path)


@pytest.mark.skipif(
    "SPEECHBRAIN_PETL_DATA" not in os.environ, reason="needs real data"
)
def test_copies_in_a_real_corpus(tmp_path, run):
    """Two recordings of ESC-10 are there twice, under other numbers."""
    corpus = Path(os.environ["SPEECHBRAIN_PETL_DATA"]) / "ESC-10"
    if not corpus.is_dir():
        pytest.skip("ESC-10 is not there")
    lines = (corpus / "meta/esc50.csv").read_text().splitlines()[1:]
    rows = [line.split(",") for line in lines]
    metadata = table(
        tmp_path / "t.csv", [f"audio/{row[0]},{row[3]}" for row in rows]
    )
    found = run(corpus, metadata=metadata)
    pairs = {
        tuple(Path(sound).stem for sound in group["sounds"])
        for group in found["groups"]["groups"]
    }
    assert pairs >= {
        ("2-28314-A-12", "2-30322-A-12"),
        ("3-151080-A-20", "5-151085-A-20"),
    }
    assert len(pairs) <= 4
