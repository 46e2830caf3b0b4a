"""Intervals of shares."""

from speechbrain_petl.utils.interval import wilson


def test_the_ends():
    low, high = wilson(0, 20)
    assert low == 0.0 and 0.1 < high < 0.2
    low, high = wilson(20, 20)
    assert 0.8 < low < 0.9 and high == 1.0
