"""Decodes each sound of a collection once: is it usable, and is it a copy?"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from speechbrain_petl.dataio.acoustic import (
    HOP,
    RATE,
    Landmarks,
    landmarks,
    mel_levels,
)
from speechbrain_petl.dataio.audio import look_at
from speechbrain_petl.dataio.duplicates import LandmarkIndex, Match, confirm
from speechbrain_petl.dataio.groups import Groups
from speechbrain_petl.dataio.resampling import normalize
from speechbrain_petl.dataio.sounds import Sound
from tqdm import tqdm

from speechbrain.dataio.preprocess import AudioNormalizer

BLOCK = 60  # seconds decoded at once: 3750 hops of landmarks
TOLERANCE = 0.05  # seconds that a stated end may lie behind the file's
FAILURES = (RuntimeError, OSError, ValueError)


class Heard(NamedTuple):
    """What was found out of a sound by decoding it.

    Arguments
    ---------
    rate : int
        Sample rate of the file in Hz.
    end : float
        Where the sound ends, in seconds from the begin of the file.
    digest : str
        Digest of its samples, equal for equal ones in any lossless format.
    fault : str or None
        Why it cannot be used.
    """

    rate: int
    end: float
    digest: str
    fault: str | None = None


class Survey:
    """Decodes all sounds of a collection, several at a time.

    Arguments
    ---------
    data_folder : str or Path
        What the paths of the sounds are relative to.
    sounds : sequence of Sound
        The sounds.
    near_duplicates : bool
        If False, looks for no landmarks, and finds no matches.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> noise = np.random.default_rng(0).integers(-9999, 9999, 32000, np.int16)
    >>> soundfile.write(folder / "a.wav", noise, 16000)
    >>> soundfile.write(folder / "b.flac", noise, 16000)
    >>> soundfile.write(folder / "c.ogg", noise[7000:] // 2, 16000)
    >>> sounds = [Sound(name, ("x",)) for name in ("a.wav", "b.flac", "c.ogg")]
    >>> survey = Survey(folder, sounds)
    >>> survey.heard[0].digest == survey.heard[1].digest
    True
    >>> for match in survey.matches():
    ...     print(match.first, match.second, round(match.lag, 2))
    0 1 0.0
    0 2 -0.43
    1 2 -0.43
    """

    def __init__(
        self,
        data_folder: str | Path,
        sounds: Sequence[Sound],
        near_duplicates: bool = True,
    ):
        self.data_folder = Path(data_folder)
        self.sounds = sounds
        self.near_duplicates = near_duplicates
        self.heard: list[Heard] = []
        self._normalizer = AudioNormalizer(RATE)
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            paths = sorted({sound.path for sound in sounds})
            looks = pool.map(look_at, [self.data_folder / p for p in paths])
            shown = tqdm(looks, "Checking", len(paths), unit="file")
            self._looks = dict(zip(paths, shown))
            seconds = sum(duration for duration, _ in self._looks.values())
            self._index = LandmarkIndex(seconds)
            heard = pool.map(self._hear, sounds)
            listening = tqdm(heard, "Listening", len(sounds), unit="sound")
            for number, (found, marks) in enumerate(listening):
                self.heard.append(found)
                self._index.add(number, marks)

    def matches(self, groups: Groups | None = None) -> Iterator[Match]:
        """Yields pairs of sounds of which one has a part of the other.

        Arguments
        ---------
        groups : Groups, optional
            Pairs that are in one group when their turn comes are left out.

        Yields
        ------
        Match
        """
        known = groups.together if groups else (lambda first, second: False)
        levels = lru_cache(maxsize=32)(self._levels)
        yield from confirm(self._index.candidates(), levels, known)

    def _hear(self, sound):
        """Returns what there is to know of a sound, and its landmarks."""
        parts, digest, frame, n_samples = [NONE], hashlib.sha256(), 0, 0
        duration, fault = self._looks[sound.path]
        if fault is None and sound.start >= duration:
            fault = f"begins at {sound.start:g} s, but ends at {duration:g} s"
        if fault is None and (sound.end or 0.0) > duration + TOLERANCE:
            fault = f"has {duration:g} s, and not {sound.end:g} s"
        if fault is not None:
            return Heard(0, 0.0, "", fault), NONE
        try:
            rate = soundfile.info(self.data_folder / sound.path).samplerate
            for mono in self._blocks(sound):
                digest.update(mono.tobytes())
                n_samples += len(mono)
                if not self.near_duplicates:
                    continue
                waveform = normalize(mono[:, None], rate, self._normalizer)
                marks = landmarks(waveform)
                parts.append(marks._replace(frames=marks.frames + frame))
                frame += len(waveform) // HOP
        except FAILURES:
            return Heard(0, 0.0, "", "unreadable"), NONE
        if n_samples == 0:
            return Heard(0, 0.0, "", "empty"), NONE
        digest.update(f"{rate} Hz".encode())
        end = sound.start + n_samples / rate
        found = Landmarks(*(np.concatenate(part) for part in zip(*parts)))
        return Heard(rate, end, digest.hexdigest()), found

    def _levels(self, number):
        """Returns the ``mel_levels`` of a sound [48, frames]."""
        sound, rate = self.sounds[number], self.heard[number].rate
        parts = []
        for mono in self._blocks(sound):
            waveform = normalize(mono[:, None], rate, self._normalizer)
            # The frame at the end of a block is the first of the next.
            parts.append(mel_levels(waveform)[:, : len(waveform) // HOP + 1])
        last = parts.pop()
        return np.concatenate([*(part[:, :-1] for part in parts), last], axis=1)

    def _blocks(self, sound):
        """Yields the mono samples of a sound [time], block by block."""
        with soundfile.SoundFile(self.data_folder / sound.path) as file:
            file.seek(round(sound.start * file.samplerate))
            left = file.frames
            if sound.end is not None:
                left = round((sound.end - sound.start) * file.samplerate)
            while left > 0:
                n = min(left, BLOCK * file.samplerate)
                block = file.read(n, dtype="float32", always_2d=True)
                if not len(block):
                    break
                yield block.mean(axis=1)
                left -= len(block)


NONE = Landmarks(np.zeros(0, np.uint32), np.zeros(0, np.int32))
