"""Kinds of values that several command lines share."""

import argparse

import pytest
from speechbrain_petl.utils.arguments import count, duration


def test_durations():
    for text, seconds in [
        ("90", 90),
        ("0.5s", 0.5),
        ("15m", 900),
        ("1d", 86400),
    ]:
        assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "0", "-1h", "1w", "inf", "nan", "x"])
def test_what_is_no_duration(text):
    with pytest.raises(argparse.ArgumentTypeError, match="such as 90s, 15m"):
        duration(text)


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "x"])
def test_what_is_no_count(text):
    with pytest.raises(argparse.ArgumentTypeError, match="number from 1"):
        count(text)
    assert count("2") == 2
