"""The index of landmarks: complete, bounded, and indifferent to order."""

import numpy as np
import pytest
from speechbrain_petl.dataio import duplicates
from speechbrain_petl.dataio.acoustic import Landmarks
from speechbrain_petl.dataio.duplicates import LandmarkIndex, Match, confirm


def marks(seed, n=400, frames=300):
    """Landmarks of a sound that no other sound has."""
    generator = np.random.default_rng(seed)
    keys = generator.integers(0, 1 << 23, n, dtype=np.uint32)
    return Landmarks(keys, np.sort(generator.integers(0, frames, n, np.int32)))


def pairs(sounds, seconds=1.0):
    """First, second and lag in frames of each candidate."""
    index = LandmarkIndex(seconds)
    for number, sound in enumerate(sounds):
        index.add(number, sound)
    return [
        (m.first, m.second, round(m.lag / 0.016)) for m in index.candidates()
    ]


def later(sound, frames):
    """The same landmarks, later."""
    return sound._replace(frames=sound.frames + frames)


def test_a_shifted_copy_among_a_thousand():
    sounds = [marks(seed) for seed in range(1000)]
    sounds[700] = later(sounds[123], 37)
    ((first, second, lag),) = pairs(sounds)
    assert (first, second) == (123, 700) and lag in (36, 37)


def test_landmarks_that_do_not_agree_on_a_lag_are_no_copy():
    one = marks(0)
    frames = np.random.default_rng(1).integers(0, 5000, len(one.keys), np.int32)
    assert pairs([one, one._replace(frames=frames)]) == []


def test_a_landmark_that_everybody_has_hides_no_copy():
    common = Landmarks(np.zeros(1, np.uint32), np.zeros(1, np.int32))

    def both(sound):
        """Adds the common landmark."""
        return Landmarks(*map(np.concatenate, zip(sound, common)))

    sounds = [both(marks(seed)) for seed in range(50)]
    sounds[40] = sounds[3]
    assert [found[:2] for found in pairs(sounds)] == [(3, 40)]


def test_many_copies_of_a_sound_hang_together():
    found = pairs([marks(0)] * 200)
    # Each is paired with some neighbors and not with all: no n * n.
    assert len(found) <= 200 * duplicates.NEIGHBORS
    reached = {0}
    for first, second, _ in sorted(found):
        if first in reached:
            reached.add(second)
    assert len(reached) == 200


def test_parts_of_the_count_give_what_the_whole_gives(monkeypatch):
    sounds = [marks(seed) for seed in range(100)]
    sounds[50], sounds[99] = later(sounds[7], 5), sounds[8]
    whole = pairs(sounds)
    monkeypatch.setattr(duplicates, "AT_ONCE", 1 << 14)
    assert pairs(sounds) == whole and len(whole) == 2


def test_a_large_collection_keeps_the_same_share_of_each_sound():
    seconds = 10 * duplicates.MOST_LANDMARKS / 180
    index = LandmarkIndex(seconds)
    assert index.share == pytest.approx(0.1)
    index.add(0, marks(0, 10000))
    assert sum(map(len, index._parts)) == pytest.approx(1000, rel=0.1)
    sounds = [marks(seed, 900) for seed in range(20)]
    sounds[13] = later(sounds[2], 9)
    assert [found[:2] for found in pairs(sounds, seconds)] == [(2, 13)]


def test_too_many_sounds_are_refused():
    with pytest.raises(ValueError, match="near_duplicates to False"):
        LandmarkIndex(1.0).add(1 << 21, marks(0))


def test_nothing_to_find():
    assert pairs([]) == []
    assert pairs([marks(0)]) == []
    assert pairs([marks(0, 0), marks(1, 0)]) == []
    assert pairs([marks(0, 1), marks(0, 1)]) == []


def test_what_is_known_is_not_compared():
    candidate = Match(0, 1, 0.0, 0.0, 9)
    assert list(confirm([candidate], lambda i: 1 / 0, lambda a, b: True)) == []
