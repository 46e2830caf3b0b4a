"""Splits: nobody on two sides, everybody once, each class shared out."""

from collections import Counter

import pytest
from hypothesis import (
    given,
    settings,
    strategies as st,
)
from speechbrain_petl.dataio.splits import complete, share_out, too_few

SHARES = {"train": 0.7, "valid": 0.15, "test": 0.15}
single = st.lists(st.sampled_from("abcd"), min_size=1, max_size=80).map(
    lambda names: [(name,) for name in names]
)
several = st.lists(
    st.sets(st.sampled_from("abcde"), max_size=3).map(sorted),
    min_size=1,
    max_size=60,
)
shares = st.sampled_from(
    [SHARES, {str(k): 1 / 3 for k in range(3)}, {str(k): 0.2 for k in range(5)}]
)
seeds = st.integers(0, 2**32)


def with_groups(labels):
    """Sounds with the number of a group each."""
    n = len(labels)
    numbers = st.lists(st.integers(0, n), min_size=n, max_size=n)
    return st.tuples(st.just(labels), numbers)


@given((single | several).flatmap(with_groups), shares, seeds)
def test_no_group_is_on_two_sides_and_all_are_placed(case, shares, seed):
    labels, groups = case
    found = share_out(labels, groups, shares, seed)
    assert len(found) == len(labels) and set(found) <= set(shares)
    sides = {}
    for split, group in zip(found, groups):
        assert sides.setdefault(group, split) == split
    assert found == share_out(labels, groups, shares, seed), "deterministic"


@given(single, shares, seeds)
def test_classes_are_shared_out(labels, shares, seed):
    found = share_out(labels, range(len(labels)), shares, seed)
    totals = Counter(name for (name,) in labels)
    counts = Counter((name, s) for (name,), s in zip(labels, found))
    for name, total in totals.items():
        for split, share in shares.items():
            wanted, placed = share * total, counts[name, split]
            # A class that would be missing somewhere gives one sound there.
            if total >= len(shares) / min(shares.values()):
                assert placed < wanted + 1 + 1e-6
                assert placed > wanted - len(shares) + 1 - 1e-6
            if total >= len(shares):
                assert placed >= 1, "no class is missing"


@given(single.flatmap(with_groups), seeds)
def test_groups_shift_a_class_by_their_size_at_most(case, seed):
    labels, groups = case
    found = share_out(labels, groups, SHARES, seed)
    largest = max(Counter(groups).values())
    for split, share in SHARES.items():
        missing = share * len(labels) - found.count(split)
        assert abs(missing) <= 4 * (largest * len(SHARES) + len(SHARES))


@settings(max_examples=30)
@given(single.flatmap(with_groups), seeds)
def test_given_splits_stay(case, seed):
    labels, groups = case
    given_splits = ["test" if g % 3 == 0 else "train" for g in groups]
    if "train" not in given_splits or "test" not in given_splits:
        return
    found = complete(given_splits, labels, groups, SHARES, seed)
    for old, new in zip(given_splits, found):
        assert new == old or (old, new) == ("train", "valid")
    everything = complete(found, labels, groups, SHARES, seed)
    if "valid" in found:
        assert everything == found, "nothing is lacking any more"


def test_the_seed_matters():
    labels = [("a",)] * 40
    drawn = {tuple(share_out(labels, range(40), SHARES, s)) for s in range(5)}
    assert len(drawn) == 5


def test_three_sounds_are_enough():
    found = share_out([("a",)] * 3 + [("b",)] * 90, range(93), SHARES, 0)
    assert sorted(found[:3]) == ["test", "train", "valid"]


def test_the_largest_group_trains():
    groups = [0] * 8 + [1] + [2]
    found = share_out([("a",)] * 10, groups, SHARES, 0)
    assert found[:8] == ["train"] * 8 and set(found) == set(SHARES)


@pytest.mark.parametrize("tagging", [False, True])
def test_too_few(tagging):
    labels = [("a",)] * 5 + [("b",)] * 3
    groups = [0, 0, 0, 0, 1, 2, 3, 4]
    found = too_few(labels, groups, 3, tagging)
    assert len(found) == (not tagging)
    if found:
        assert "'a' (2 groups, 5 sounds)" in found[0] and "'b'" not in found[0]


def test_many_classes_are_fast():
    labels = [(f"c{i % 2000}",) for i in range(20000)]
    found = share_out(labels, range(20000), SHARES, 0)
    assert Counter(found)["train"] == pytest.approx(14000, abs=2000)
