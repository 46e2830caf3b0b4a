"""Fingerprints: alike after what happens to a copy, and not otherwise."""

import io

import numpy as np
import pytest
import soundfile
import torch
from speechbrain_petl.dataio.acoustic import (
    SIMILAR,
    landmarks,
    mel_levels,
    similarity,
)
from speechbrain_petl.dataio.duplicates import LandmarkIndex, confirm
from speechbrain_petl.dataio.resampling import normalize

from speechbrain.dataio.preprocess import AudioNormalizer

RATE = 16000


def bursts(seed, seconds=3.0):
    """Colored noise that swells, over tones that glide: like a recording."""
    generator = np.random.default_rng(seed)
    n = int(seconds * RATE)
    spectrum = np.fft.rfft(generator.normal(size=n))
    wave = np.fft.irfft(spectrum / (1 + np.arange(len(spectrum))) ** 0.4, n)
    wave /= np.abs(wave).max()
    knots = generator.uniform(0.05, 1.0, 24)
    wave *= np.interp(np.arange(n), np.linspace(0, n, 24), knots)
    for _ in range(4):
        pitch = np.interp(
            np.arange(n),
            np.linspace(0, n, 9),
            generator.uniform(200, 3000, 9),
        )
        wave += 0.2 * np.sin(2 * np.pi * np.cumsum(pitch) / RATE)
    return (0.5 * wave / np.abs(wave).max()).astype(np.float32)


def encoded(wave, rate=RATE, **options):
    """A waveform after writing and reading."""
    file = io.BytesIO()
    soundfile.write(file, wave, rate, **options)
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0]


def at_rate(wave, rate):
    """A waveform after a visit to another sample rate."""
    there = normalize(wave[:, None], RATE, AudioNormalizer(rate)).numpy()
    return normalize(there[:, None], rate, AudioNormalizer(RATE)).numpy()


COPIES = {
    "the same": lambda wave: wave,
    "softer": lambda wave: 0.1 * wave,
    "inverted": lambda wave: -wave,
    "cut at the front": lambda wave: wave[7777:],
    "the second half": lambda wave: wave[len(wave) // 2 :],
    "8 bits": lambda wave: encoded(wave, format="WAV", subtype="PCM_U8"),
    "mp3": lambda wave: encoded(wave, format="MP3", compression_level=0.5),
    "mp3, low": lambda wave: encoded(wave, format="MP3", compression_level=0.9),
    "ogg": lambda wave: encoded(wave, format="OGG"),
    "44.1 kHz": lambda wave: at_rate(wave, 44100),
    "8 kHz": lambda wave: at_rate(wave, 8000),
    "in noise": lambda wave: wave
    + np.random.default_rng(9).normal(size=len(wave)).astype(np.float32)
    * np.sqrt((wave**2).mean())
    / 10,
}


def matches(waves):
    """Pairs of waveforms that are found to be alike."""
    waves = [torch.from_numpy(np.ascontiguousarray(wave)) for wave in waves]
    index = LandmarkIndex(sum(map(len, waves)) / RATE)
    for number, wave in enumerate(waves):
        index.add(number, landmarks(wave))
    levels = [mel_levels(wave) for wave in waves]
    return list(confirm(index.candidates(), lambda i: levels[i]))


@pytest.mark.parametrize("kind", COPIES)
def test_copies_are_found_among_others(kind):
    waves = [bursts(seed) for seed in range(6)]
    found = matches([*waves, COPIES[kind](waves[2])])
    assert [(match.first, match.second) for match in found] == [(2, 6)]
    assert found[0].similarity > SIMILAR


def test_an_overlap_and_its_lag():
    long = bursts(0, 6.0)
    (found,) = matches([long[: 4 * RATE], long[2 * RATE :], bursts(1)])
    assert found.lag == pytest.approx(-2.0, abs=0.02)


def test_other_recordings_of_like_sounds_differ():
    assert matches([bursts(seed) for seed in range(20)]) == []


def test_silence_and_tones_prove_nothing():
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)
    tone = tone.astype(np.float32)
    silence = np.zeros(2 * RATE, np.float32)
    # Padding does not make two sounds alike.
    padded = [np.concatenate([bursts(s, 0.5), silence]) for s in range(3)]
    assert matches([silence, silence, tone, tone[5:], *padded]) == []
    assert similarity(mel_levels(torch.zeros(9)), np.zeros((48, 1)), 0) == 0.0


@pytest.mark.parametrize("n", [0, 1, 100, 1023, 1025])
def test_sounds_of_any_length(n):
    wave = torch.from_numpy(bursts(0)[:n])
    assert len(landmarks(wave).keys) == len(landmarks(wave).frames)
    assert np.isfinite(mel_levels(wave)).all()
