"""Any rate is resampled by one filter, with bounded memory."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from speechbrain_petl.dataio import resampling
from speechbrain_petl.dataio.resampling import normalize

from speechbrain.dataio.preprocess import AudioNormalizer


def noise(seconds, rate, channels=1):
    """White noise [time, channels]."""
    size = (round(seconds * rate), channels)
    return np.random.default_rng(0).uniform(-0.5, 0.5, size).astype("f4")


@pytest.mark.parametrize(
    "rate", [8000, 11025, 16000, 22050, 37800, 44100, 48000, 96000, 192000]
)
def test_ordinary_rates_are_as_speechbrain_has_them(rate):
    audio = noise(0.3, rate, 2)
    ours = normalize(audio, rate, AudioNormalizer(16000))
    theirs = AudioNormalizer(16000)(torch.from_numpy(audio), rate)
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 37800, 44100, 48000])
@pytest.mark.parametrize("seconds", [0.001, 0.5])
def test_both_ways_apply_the_same_filter(rate, seconds, monkeypatch):
    audio = noise(seconds, rate, 2)
    theirs = normalize(audio, rate, AudioNormalizer(16000))
    monkeypatch.setattr(resampling, "MOST_TAPS", 0)
    ours = normalize(audio, rate, AudioNormalizer(16000))
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    assert (ours - theirs).abs().max() < 2e-5


def test_a_rate_without_common_factor_keeps_pitch_and_length():
    rate = 11127
    tone = np.sin(2 * math.pi * 440 * np.arange(rate) / rate)
    found = normalize(tone[:, None].astype("f4"), rate, AudioNormalizer(16000))
    wanted = torch.sin(2 * math.pi * 440 * torch.arange(16000) / 16000)
    assert len(found) == 16000
    assert (found - wanted)[200:-200].abs().max() < 5e-3


MEMORY = """
import resource, numpy as np
from speechbrain.dataio.preprocess import AudioNormalizer
from speechbrain_petl.dataio.resampling import normalize
normalize(np.zeros((100, 1), "f4"), 44100, AudioNormalizer(16000))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for rate in (11127, 44101, 192001, 999999):
    normalize(np.zeros((rate, 2), "f4"), rate, AudioNormalizer(16000))
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1e6)
"""


@pytest.mark.fault("audio whose sample rate has no common factor with ours")
def test_memory_is_bounded():
    """44101 Hz took 24 GB."""
    run = subprocess.run(
        [sys.executable, "-c", MEMORY],
        capture_output=True,
        text=True,
        check=True,
    )
    gigabytes = [float(line) for line in run.stdout.split()]
    assert len(gigabytes) == 4
    assert max(gigabytes[:3]) < 0.25 and gigabytes[3] < 0.6, gigabytes
