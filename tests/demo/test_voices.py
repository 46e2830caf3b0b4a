"""Who speaks in the procedural corpora."""

import numpy as np
import pytest
from speechbrain_petl.demo.voices import make_speakers, say


def test_speakers_are_their_seeds_and_more_do_not_change_the_first():
    few, many = make_speakers(5, 3, 8), make_speakers(5, 20, 8)
    assert many[:3] == few != make_speakers(6, 3, 8)
    assert len({name for name, _ in many}) == 20
    assert all(int(name, 16) >= 0 and abs(c) <= 0.6 for name, c in many)
    with pytest.raises(ValueError, match="three or more"):
        make_speakers(5, 2, 8)


@pytest.mark.parametrize("n_samples", [4000, 4001])
def test_words_fill_the_time_within_bounds(n_samples):
    rng = np.random.default_rng(0)
    wave = say(rng, [3, 4, 5], 0.6, n_samples, 16000)
    assert wave.shape == (n_samples,)
    assert 0 < np.abs(wave).max() <= 0.9


def test_a_color_tilts_the_spectrum():
    def high_part(color):
        wave = say(np.random.default_rng(0), [3, 4], color, 4000, 16000)
        power = np.abs(np.fft.rfft(wave)) ** 2
        return power[1000:].sum() / power.sum()

    assert high_part(-0.6) > high_part(0.0) > high_part(0.6)
