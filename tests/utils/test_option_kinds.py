"""Which values can take the place of a default."""

import pytest
from speechbrain_petl.utils.option_kinds import check_kind


@pytest.mark.parametrize(
    "default, value",
    [
        (None, "anything"),
        ("a", None),
        ("a", 3),
        (0.1, 1),
        (-1, -5),
        (True, False),
        ([1], [2, 3]),
        ({"a": 1}, {}),
    ],
)
def test_what_fits(default, value):
    check_kind("--x", default, value)


def test_what_counts_from_the_end():
    check_kind("--first_layer", 0, -3, negative=True)
    with pytest.raises(ValueError, match="a whole number"):
        check_kind("--first_layer", 0, "-x", negative=True)


@pytest.mark.parametrize(
    "default, value, wanted",
    [
        (0.1, "abc", "a number, such as 0.1, and not 'abc'"),
        (0.1, None, "a number, such as 0.1, and not None"),
        (3, 0.5, "a whole number, such as 3, and not 0.5"),
        (3, True, "a whole number"),
        (3, -1, "a whole number that is not negative"),
        (True, 1, "True or False"),
        ([1], 1, "a list"),
        ({}, [1], "a mapping"),
        ("a", [1], "a text"),
    ],
)
def test_what_does_not(default, value, wanted):
    with pytest.raises(ValueError, match=f"--x is {wanted}"):
        check_kind("--x", default, value)
