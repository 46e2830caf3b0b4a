"""The procedural sounds."""

import sys
from pathlib import Path

import numpy as np
import pytest
from speechbrain_petl.demo.sounds import DEMO, word

sys.path.append(str(Path(__file__).parents[2] / "tools" / "ast_mini"))
from pretrain import PRETRAIN  # noqa: E402


def test_demo_and_pretrain_share_nothing():
    assert len(DEMO) == 10 and len(PRETRAIN) >= 40
    assert not set(DEMO) & set(PRETRAIN)
    assert not set(DEMO.values()) & set(PRETRAIN.values())


@pytest.mark.parametrize("name", [*DEMO, *PRETRAIN])
def test_waveforms(name):
    family = {**DEMO, **PRETRAIN}[name]
    waves = [
        family(np.random.default_rng(seed), 16000, 16000) for seed in (0, 1, 0)
    ]
    for wave in waves:
        assert wave.dtype == np.float32 and wave.shape == (16000,)
        assert np.isfinite(wave).all()
        assert 0.01 < np.abs(wave).max() <= 1.0
    assert np.array_equal(waves[0], waves[2])
    assert not np.array_equal(waves[0], waves[1])
    short = family(np.random.default_rng(0), 400, 16000)
    assert short.shape == (400,) and np.abs(short).max() <= 1.0


def test_words():
    wave = word(np.random.default_rng(0), 34, 8001, 16000)
    assert wave.shape == (8001,) and np.isfinite(wave).all()
    with pytest.raises(ValueError, match="word 100"):
        word(np.random.default_rng(0), 100, 8000, 16000)
