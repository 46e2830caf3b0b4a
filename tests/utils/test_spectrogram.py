"""Spectrograms for people."""

import numpy as np
from speechbrain_petl.utils.spectrogram import RANGE_DB, spectrogram


def test_a_tone_that_rises():
    time = np.arange(16000) / 16000
    low, high = (np.sin(2 * np.pi * f * time[:8000]) for f in (300, 5000))
    found = spectrogram(np.concatenate([low, high]), 16000, 40, 20)
    loudest = found.argmax(axis=0)
    assert (loudest[2:8] > 25).all() and (loudest[12:18] < 12).all()
    assert found.max() == 0.0 and found.min() >= -RANGE_DB


def test_silence_and_clips_shorter_than_a_frame():
    for wave in (np.zeros(5), np.zeros(16000), np.ones(1)):
        assert np.isfinite(spectrogram(wave, 16000, 8, 4)).all()
