"""Ranges and choices of a search."""

import pytest
from speechbrain_petl.experiments.running.space import read_space


def test_all_kinds():
    assert read_space(["a=0:1", "b=log:1e-3:1", "c=int:1:9", "d=1,x"]) == {
        "a": ("linear", 0, 1),
        "b": ("log", 0.001, 1),
        "c": ("int", 1, 9),
        "d": ("choice", [1, "x"]),
    }


@pytest.mark.parametrize(
    "text",
    ["lr=1:0", "lr=log:0:1", "lr=x:y", "lr=1", "lr=int:1:2.5", "lr=0:inf"],
)
def test_bad_ranges(text):
    with pytest.raises(ValueError, match="KEY=LOW:HIGH"):
        read_space([text])


def test_what_is_no_pair():
    with pytest.raises(ValueError, match="KEY=VALUE"):
        read_space(["lr"])
    with pytest.raises(ValueError, match="given twice"):
        read_space(["lr=0:1", "lr=0:2"])
