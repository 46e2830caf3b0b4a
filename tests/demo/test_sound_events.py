"""Corpora of sound events in the layouts of ESC-50 and UrbanSound8K."""

import pytest
import soundfile
from speechbrain_petl.demo.sounds import DEMO

from tests.demo.miniatures import table, write


def test_esc50(tmp_path):
    folder = write("esc50", tmp_path / "corpus", clips_per_class_and_fold=2)
    rows = table(folder / "meta" / "esc50.csv")
    columns = "filename,fold,target,category,esc10,src_file,take"
    assert list(rows[0]) == columns.split(",")
    assert len(rows) == 2 * 3 * 5
    assert {row["fold"] for row in rows} == set("12345")
    assert {row["esc10"] for row in rows} == {"True", "False"}
    assert {row["category"] for row in rows} == set(list(DEMO)[:3])
    for row in rows:
        fold, source, take, target = row["filename"][:-4].split("-")
        assert (fold, target) == (row["fold"], row["target"])
        assert (source, take) == (row["src_file"], row["take"])
        info = soundfile.info(folder / "audio" / row["filename"])
        assert (info.frames, info.samplerate) == (3200, 16000)
        assert (info.channels, info.subtype) == (1, "PCM_16")
    with pytest.raises(ValueError, match="11 classes"):
        write("esc50", tmp_path / "more", classes=11)


def test_urbansound8k(tmp_path):
    folder = write("urbansound8k", tmp_path / "corpus")
    rows = table(folder / "metadata" / "UrbanSound8K.csv")
    columns = "slice_file_name,fsID,start,end,salience,fold,classID,class"
    assert list(rows[0]) == columns.split(",")
    assert len(rows) == 4 * 2 * 3
    folds_of = {}
    for row in rows:
        name = row["slice_file_name"]
        assert name.startswith(f"{row['fsID']}-{row['classID']}-")
        info = soundfile.info(folder / "audio" / f"fold{row['fold']}" / name)
        length = float(row["end"]) - float(row["start"])
        assert length == pytest.approx(info.duration, abs=1e-4)
        folds_of.setdefault(row["fsID"], set()).add(row["fold"])
    # Slices of one recording stay in one fold.
    assert all(len(folds) == 1 for folds in folds_of.values())
