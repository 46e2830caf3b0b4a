"""Kinds of values: what fits, and the sentence for what does not."""

import pytest
from speechbrain_petl.artefacts.kinds import (
    Choice,
    ListOf,
    MapOf,
    Number,
    OneOrMore,
    Plain,
    Record,
    Text,
)


@pytest.mark.parametrize("value", [1, 9, 5])
def test_number_includes_its_bounds(value):
    assert Number(1, 9, whole=True).misfits(value, "x") == []


@pytest.mark.parametrize(
    "value", [0, 10, 5.0, True, "5", None, float("nan"), float("inf")]
)
def test_number_refuses_what_only_looks_like_one(value):
    assert len(Number(1, 9, whole=True).misfits(value, "x")) == 1


def test_choice_tells_one_from_true():
    assert Choice(1, 2).misfits(True, "x")
    assert not Choice(True, 2).misfits(True, "x")


def test_entries_are_named_by_their_place():
    kind = Record({"rows": ListOf(MapOf(Text(3), Number(0, 1)), 2)})
    problems = kind.misfits({"rows": [{"a": 0}, {"b": 2, "long": 1}]}, "it")
    assert [p.split(" should")[0] for p in problems] == [
        "it.rows[1].b",
        "a key of it.rows[1]",
    ]


def test_bounds_of_lists_and_depth():
    assert OneOrMore(Number(0, 1), 2).misfits(1, "x") == []
    assert OneOrMore(Number(0, 1), 2).misfits([], "x")
    assert OneOrMore(Number(0, 1), 2).misfits([0, 0, 0], "x")
    assert Plain(2).misfits([[1]], "x") == []
    assert Plain(2).misfits([[[1]]], "x")


def test_long_and_unprintable_values_are_shown_safely():
    (problem,) = Text(5).misfits("\x1b[2J" + "a" * 500, "x")
    assert "\x1b" not in problem
    assert len(problem) < 150
