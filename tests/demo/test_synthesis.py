"""Building blocks of the procedural sounds."""

import numpy as np
import pytest
from speechbrain_petl.demo.synthesis import (
    fade,
    finish,
    noise,
    overlay,
    register,
    tone,
)

RATE = 16000


def test_a_tone_has_its_harmonics_and_none_above_nyquist():
    wave = tone(3000.0, RATE, RATE, partials=5, tilt=1.0)
    spectrum = np.abs(np.fft.rfft(wave)) / (RATE / 2)
    assert np.flatnonzero(spectrum > 0.01).tolist() == [3000, 6000]
    assert spectrum[6000] == pytest.approx(spectrum[3000] / 2, rel=1e-3)


def test_noise_stays_in_its_band():
    wave = noise(np.random.default_rng(0), RATE, RATE, band=(500.0, 900.0))
    heard = np.flatnonzero(np.abs(np.fft.rfft(wave)) > 1e-6)
    assert (heard.min(), heard.max()) == (500, 900)
    assert np.abs(wave).max() == pytest.approx(1.0)


def test_what_juts_out_of_a_wave_is_cut():
    wave = np.zeros(5)
    overlay(wave, np.ones(4), 3)
    overlay(wave, np.ones(4), 9)
    assert wave.tolist() == [0, 0, 0, 1, 1]


def test_a_fade_is_one_between_its_ramps():
    envelope = fade(1000, RATE, seconds=0.01)
    assert envelope[[0, 80, 919, 999]].tolist() == [0, 0.5, 0.5, 0]
    assert (envelope[160:840] == 1).all()


def test_a_finished_sound_is_as_long_within_bounds_and_of_its_seed():
    dry = tone(440.0, 4001, RATE)
    first, again, other = (
        finish(np.random.default_rng(seed), dry, RATE) for seed in (1, 1, 2)
    )
    assert first.dtype == np.float32 and first.shape == dry.shape
    assert 0 < np.abs(first).max() <= 1
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    registry = {}
    register(registry)(finish)
    with pytest.raises(ValueError, match="two families are called finish"):
        register(registry)(finish)
