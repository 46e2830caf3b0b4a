"""Groups of sounds, and why they are groups."""

import pytest
from hypothesis import (
    given,
    strategies as st,
)
from speechbrain_petl.dataio.groups import Groups, describe, keys_by_pattern
from speechbrain_petl.dataio.sounds import Sound

joins = st.lists(st.lists(st.integers(0, 19), max_size=4), max_size=25)


@given(joins)
def test_groups_are_what_is_connected(lists):
    groups = Groups(20)
    sets = [{number} for number in range(20)]
    for numbers in lists:
        groups.join(numbers, {})
        joined = set().union(*(s for s in sets if s & set(numbers)))
        sets = [s for s in sets if not s & set(numbers)]
        sets += [joined] if joined else []
    of_each = groups.of_each()
    assert all(of_each[n] == min(s) for s in sets for n in s)


@given(joins, st.sets(st.integers(0, 19)).map(sorted))
def test_a_part_keeps_what_was_joined_directly(lists, kept):
    groups = Groups(20)
    for numbers in lists:
        groups.join(numbers, {})
    part = groups.part(kept)
    for numbers in lists:
        left = [kept.index(number) for number in numbers if number in kept]
        assert all(part.together(left[0], number) for number in left)
    of_each = groups.of_each()
    for new, first in enumerate(part.of_each()):
        assert of_each[kept[new]] == of_each[kept[first]]


def sounds(*paths):
    """Sounds with these paths."""
    return [Sound(path, ("x",)) for path in paths]


@pytest.mark.parametrize(
    "pattern, keys",
    [
        (r"(\d+)_", ["3", "4"]),
        (r"^\d", ["3", "4"]),
        (r"(\d)_(\w)", ["3/a", "4/a"]),
        (r"/(\w+)/", ["anna", "anna"]),
    ],
)
def test_patterns(pattern, keys):
    found, faults = keys_by_pattern(
        sounds("9_x/anna/3_a.wav", "9_x/anna/4_a.wav"), pattern
    )
    assert found == keys and faults == []


@pytest.mark.parametrize(
    "pattern, fault",
    [
        ("(", "which is no regular expression: missing"),
        (r"(\d+)_", "matches 1 of 2 names, and not b/x.wav: change"),
    ],
)
def test_patterns_that_do_not_fit(pattern, fault):
    found, (said,) = keys_by_pattern(sounds("a/1_x.wav", "b/x.wav"), pattern)
    assert found == [] and fault in said


def test_the_record_tells_the_reasons():
    groups = Groups(5)
    groups.join_equal(["anna", None, "anna", None, "bert"], "column group")
    groups.join([2, 3], {"why": "near-identical sound", "similarity": 0.9})
    record = describe(groups, list("abcde"), ["train"] * 3 + ["test", "valid"])
    assert record == [
        {
            "splits": ["test", "train"],
            "sounds": ["a", "c", "d"],
            "reasons": [
                {
                    "why": "column group",
                    "value": "anna",
                    "sounds": ["a", "c"],
                },
                {
                    "why": "near-identical sound",
                    "similarity": 0.9,
                    "sounds": ["c", "d"],
                },
            ],
        }
    ]
