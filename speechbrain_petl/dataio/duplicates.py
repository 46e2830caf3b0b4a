"""Finds sounds that occur more than once: copies, and parts that overlap.

Copies of equal samples are found by a digest, whatever lossless format they
are in. Others, also compressed, louder, noisier, cut or shifted, are found by
landmarks (see ``acoustic``). These are sorted, and only neighbors among equal
ones are looked at: O(n log n) in time. Of a collection of more than
``MOST_LANDMARKS``, the same share of each sound's landmarks is kept, so that
memory is bounded, whatever the number of hours.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from speechbrain_petl.dataio.acoustic import (
    FAN,
    HOP,
    PEAKS_A_SECOND,
    RATE,
    SIMILAR,
    Landmarks,
    similarity,
)

MOST_LANDMARKS = 1 << 23  # about 13 hours of sound are kept whole
# An entry has 23 bits for the landmark, a vote one sign bit and 21 for a lag;
# both have the sound's number and a frame beside them, in 64 bits.
SOUND_BITS, FRAME_BITS = 21, 20
MOST_SOUNDS, MOST_FRAMES = 1 << SOUND_BITS, 1 << FRAME_BITS  # 4.6 hours
NEIGHBORS = 6  # that a landmark is paired with, among equal ones
FEWEST_VOTES = 5  # landmarks that agree on a lag
MOST_CANDIDATES = 24  # of a sound, those with most votes
AT_ONCE = 1 << 24  # votes counted at once


class Match(NamedTuple):
    """Two sounds of which one may hold the other, or a part of it.

    Arguments
    ---------
    first, second : int
        Which sounds, the lower number first.
    lag : float
        Seconds by which the same sound is later in the second.
    similarity : float
        How alike they are where they overlap, at most 1; 0 before that is
        known.
    votes : int
        Landmarks that agree on the lag.
    """

    first: int
    second: int
    lag: float
    similarity: float
    votes: int


class LandmarkIndex:
    """Collects the landmarks of many sounds and finds candidates for copies.

    Arguments
    ---------
    seconds : float
        Duration of all the sounds that will be added, by which the share of
        landmarks is chosen that is kept.

    Example
    -------
    >>> import torch
    >>> from speechbrain_petl.dataio.acoustic import landmarks
    >>> noise = torch.randn(32000, generator=torch.Generator().manual_seed(0))
    >>> index = LandmarkIndex(seconds=4.0)
    >>> index.add(0, landmarks(noise))
    >>> index.add(1, landmarks(noise.flip(0)))
    >>> index.add(2, landmarks(0.1 * noise[8000:]))
    >>> [(m.first, m.second, m.lag) for m in index.candidates()]
    [(0, 2, -0.512)]
    """

    def __init__(self, seconds: float):
        expected = max(seconds, 1.0) * PEAKS_A_SECOND * FAN
        self.share = min(1.0, MOST_LANDMARKS / expected)
        self._parts: list[np.ndarray] = []

    def add(self, number: int, marks: Landmarks) -> None:
        """Adds the landmarks of a sound.

        Arguments
        ---------
        number : int
            Number of the sound, below ``MOST_SOUNDS``.
        marks : Landmarks
            What ``landmarks`` found.
        """
        if number >= MOST_SOUNDS:
            raise ValueError(
                f"More than {MOST_SOUNDS} sounds cannot be searched for "
                "copies: set near_duplicates to False."
            )
        # Fibonacci hashing: which keys are kept depends on the key alone.
        mixed = marks.keys * np.uint32(0x9E3779B1)
        kept = mixed < np.uint64(self.share * 2**32)
        kept &= marks.frames < MOST_FRAMES
        entry = marks.keys[kept].astype(np.uint64) << SOUND_BITS + FRAME_BITS
        entry |= np.uint64(number << FRAME_BITS)
        self._parts.append(entry | marks.frames[kept].astype(np.uint64))

    def candidates(self) -> list[Match]:
        """Finds pairs of sounds with landmarks that agree on a lag.

        Returns
        -------
        list of Match
            Those with most votes first.
        """
        none = np.zeros(0, np.uint64)
        entries = np.sort(np.concatenate([none, *self._parts]))
        if not len(entries):
            return []
        # Of a sound that repeats itself, the first of equal landmarks.
        again = np.diff(entries >> FRAME_BITS) == 0
        entries = entries[np.concatenate([[True], ~again])]
        found = [_strongest(votes) for votes in _ballots(entries)]
        return _most_voted(np.concatenate(found))


def _ballots(entries) -> Iterator[np.ndarray]:
    """Yields votes for a pair and a lag, of a part of the pairs at a time."""
    keys = entries >> SOUND_BITS + FRAME_BITS
    sounds = (entries >> FRAME_BITS).astype(np.int64) % MOST_SOUNDS
    frames = entries.astype(np.int64) % MOST_FRAMES
    n_parts = 1 + 2 * NEIGHBORS * len(entries) // AT_ONCE
    for part in range(n_parts):
        votes = [np.zeros(0, np.int64)]
        for step in range(1, min(NEIGHBORS, len(entries) - 1) + 1):
            chosen = keys[:-step] == keys[step:]
            chosen &= (sounds[:-step] + sounds[step:]) % n_parts == part
            first = chosen.nonzero()[0]
            pair = sounds[first] << SOUND_BITS | sounds[first + step]
            lag = frames[first + step] - frames[first] + MOST_FRAMES
            vote = pair << FRAME_BITS + 1 | lag
            # A shift by half a frame divides the votes among two lags.
            votes += [vote, np.where(lag > 0, vote - 1, vote)]
        yield np.concatenate(votes)


def _strongest(votes):
    """Returns the most frequent vote of each pair [n, 2]: vote, times."""
    votes, times = np.unique(votes, return_counts=True)
    enough = times >= FEWEST_VOTES
    votes, times = votes[enough], times[enough]
    pairs = votes >> FRAME_BITS + 1
    order = np.lexsort((votes, -times, pairs))
    best = order[np.diff(pairs[order], prepend=-1) != 0]
    return np.stack([votes[best], times[best]], axis=1)


def _most_voted(found):
    """Returns the candidates, at most some for each sound."""
    found = found[np.lexsort((found[:, 0], -found[:, 1]))]
    kept: list[Match] = []
    counts: dict[int, int] = {}
    for vote, times in found.tolist():
        pair, lag = divmod(vote, 2 * MOST_FRAMES)
        first, second = divmod(pair, MOST_SOUNDS)
        if max(counts.get(first, 0), counts.get(second, 0)) < MOST_CANDIDATES:
            seconds = (lag - MOST_FRAMES) * HOP / RATE
            kept.append(Match(first, second, seconds, 0.0, times))
            for sound in (first, second):
                counts[sound] = counts.get(sound, 0) + 1
    return kept


def confirm(
    candidates: Sequence[Match],
    levels: Callable[[int], np.ndarray],
    known: Callable[[int, int], bool] = lambda first, second: False,
) -> Iterator[Match]:
    """Compares candidates frame by frame and yields those that are alike.

    Arguments
    ---------
    candidates : sequence of Match
        What ``LandmarkIndex.candidates`` found.
    levels : callable
        Gives ``mel_levels`` of a sound by its number.
    known : callable
        Tells whether two sounds need not be compared.

    Yields
    ------
    Match
        With its similarity, above ``SIMILAR``.
    """
    for match in candidates:
        if known(match.first, match.second):
            continue
        frames = round(match.lag * RATE / HOP)
        first, second = levels(match.first), levels(match.second)
        alike, lag = max(
            (similarity(first, second, lag), lag)
            for lag in range(frames - 1, frames + 3)
        )
        if alike > SIMILAR:
            yield match._replace(similarity=alike, lag=lag * HOP / RATE)
