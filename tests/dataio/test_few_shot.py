"""Tests of the few-shot draws."""

import json
import random
from collections import Counter

import pytest
from speechbrain_petl.dataio.few_shot import draw_few_shot, keep_shots

MANIFEST = {
    f"clip{i:02}": {"wav": f"{i}.wav", "label": "abc"[i % 3]} for i in range(30)
}


def test_draws_k_of_each_class():
    drawn = draw_few_shot(MANIFEST, k=4, seed=7)
    counts = Counter(entry["label"] for entry in drawn.values())
    assert counts == {"a": 4, "b": 4, "c": 4}
    assert all(MANIFEST[key] is entry for key, entry in drawn.items())


def test_draw_depends_on_the_seed_alone():
    shuffled = list(MANIFEST.items())
    random.Random(0).shuffle(shuffled)
    drawn = list(draw_few_shot(MANIFEST, k=2, seed=1))
    # Written down, so that it cannot change between versions either.
    assert drawn == ["clip02", "clip03", "clip06", "clip08", "clip10", "clip16"]
    assert drawn == list(draw_few_shot(dict(shuffled), k=2, seed=1))
    assert drawn != list(draw_few_shot(MANIFEST, k=2, seed=2))


def test_draws_are_nested():
    small = draw_few_shot(MANIFEST, k=2, seed=1)
    large = draw_few_shot(MANIFEST, k=8, seed=1)
    assert small.keys() < large.keys()


def test_too_few():
    with pytest.raises(ValueError, match="Class 'a' has 10 entries, but 11"):
        draw_few_shot(MANIFEST, k=11, seed=0)
    with pytest.raises(ValueError, match="at least 1"):
        draw_few_shot(MANIFEST, k=0, seed=0)
    other = {"x": {"word": "yes"}}
    assert draw_few_shot(other, k=1, seed=0, label_key="word") == other


def test_a_manifest_keeps_what_was_drawn(tmp_path):
    manifest = tmp_path / "train.json"
    manifest.write_text(json.dumps(MANIFEST))
    keep_shots(manifest, None, 1)
    assert json.loads(manifest.read_text()) == MANIFEST
    keep_shots(manifest, 2, 1)
    assert json.loads(manifest.read_text()) == draw_few_shot(MANIFEST, 2, 1)
    assert list(tmp_path.iterdir()) == [manifest], "nothing else is left"


def test_entries_of_several_classes():
    labels = [["a"], ["a", "b"], ["b", "c"], ["a", "c"], ["b"], []]
    manifest = {f"clip{i}": {"label": some} for i, some in enumerate(labels)}
    previous = set()
    for k in (1, 2):
        drawn = draw_few_shot(manifest, k, seed=0)
        for label in "abc":
            assert sum(label in e["label"] for e in drawn.values()) >= k
        assert previous <= set(drawn) and "clip5" not in drawn
        previous = set(drawn)
    with pytest.raises(ValueError, match="'c' has 2 entries, but 3 of each"):
        draw_few_shot(manifest, 3, seed=0)
