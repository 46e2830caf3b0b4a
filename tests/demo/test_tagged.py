"""A corpus of tagged clips in the layout of FSD50K."""

import csv

import soundfile
from speechbrain_petl.demo.tagged import LEAVES, MIDS

from tests.demo.miniatures import table, write


def test_fsd50k(tmp_path):
    folder = write("fsd50k", tmp_path / "corpus")
    truth = folder / "FSD50K.ground_truth"
    vocabulary = list(csv.reader((truth / "vocabulary.csv").open()))
    assert [row[0] for row in vocabulary] == [str(i) for i in range(12)]
    names = [row[1] for row in vocabulary]
    assert names == sorted(names) and {row[2] for row in vocabulary} == set(
        MIDS.values()
    )
    splits, several = [], 0
    for part in ("dev", "eval"):
        for row in table(truth / f"{part}.csv"):
            labels = row["labels"].split(",")
            assert [MIDS[label] for label in labels] == row["mids"].split(",")
            for leaf, *ancestors in LEAVES:
                assert leaf not in labels or set(ancestors) <= set(labels)
            several += sum(leaf[0] in labels for leaf in LEAVES) > 1
            audio = folder / f"FSD50K.{part}_audio" / f"{row['fname']}.wav"
            assert 0.03 < soundfile.info(audio).duration <= 0.2
            splits.append(row.get("split", "test"))
    assert [splits.count(s) for s in ("train", "val", "test")] == [6, 6, 6]
    assert several
