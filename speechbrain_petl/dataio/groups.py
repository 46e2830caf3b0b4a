"""Joins sounds into groups that no split may divide, and keeps the reasons."""

import re
from collections.abc import Hashable, Iterable, Sequence
from pathlib import PurePosixPath

from speechbrain_petl.dataio.sounds import Sound
from speechbrain_petl.utils.messages import name_some


class Groups:
    """Groups of things, which are numbered from 0; at first each is alone.

    Arguments
    ---------
    n : int
        How many things there are.

    Example
    -------
    >>> groups = Groups(4)
    >>> groups.join([0, 2], {"why": "one speaker"})
    >>> groups.join([2, 3], {"why": "one file"})
    >>> groups.of_each(), groups.together(0, 3)
    ([0, 1, 0, 0], True)
    >>> groups.reasons
    [([0, 2], {'why': 'one speaker'}), ([2, 3], {'why': 'one file'})]
    """

    def __init__(self, n: int):
        self._parents = list(range(n))
        self.reasons: list[tuple[list[int], dict]] = []

    def _root(self, number):
        """Returns the first thing of a group, and shortens the way to it."""
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number

    def join(self, numbers: Sequence[int], reason: dict) -> None:
        """Joins the groups of some things.

        Arguments
        ---------
        numbers : sequence of int
            The things; one alone is not joined with any.
        reason : dict
            Why, for the record.
        """
        if len(numbers) < 2:
            return
        self.reasons.append((list(numbers), reason))
        for number in numbers[1:]:
            first, second = self._root(numbers[0]), self._root(number)
            self._parents[max(first, second)] = min(first, second)

    def join_equal(
        self, keys: Iterable[Hashable | None], why: str, show: bool = True
    ) -> None:
        """Joins things with equal keys.

        Arguments
        ---------
        keys : iterable of hashable
            The key of each thing; None joins it with no other.
        why : str
            What equal keys mean, for the record.
        show : bool
            If True, the key is recorded too.
        """
        members: dict[Hashable, list[int]] = {}
        for number, key in enumerate(keys):
            if key is not None:
                members.setdefault(key, []).append(number)
        for key, numbers in members.items():
            self.join(numbers, {"why": why, **({"value": key} if show else {})})

    def together(self, first: int, second: int) -> bool:
        """Returns True if two things are in one group."""
        return self._root(first) == self._root(second)

    def part(self, kept: Sequence[int]) -> "Groups":
        """Returns the groups of some things only, which are numbered anew.

        Arguments
        ---------
        kept : sequence of int
            The things.

        Returns
        -------
        Groups
        """
        numbers = {old: new for new, old in enumerate(kept)}
        groups = Groups(len(kept))
        for joined, reason in self.reasons:
            left = [numbers[old] for old in joined if old in numbers]
            groups.join(left, reason)
        return groups

    def of_each(self) -> list[int]:
        """Returns the group of each thing: the number of its first member."""
        return [self._root(number) for number in range(len(self._parents))]


def keys_by_pattern(
    sounds: Sequence[Sound], pattern: str
) -> tuple[list[str], list[str]]:
    """Finds by a regular expression what groups the sounds belong to.

    Arguments
    ---------
    sounds : sequence of Sound
        The sounds.
    pattern : str
        Regular expression, searched for in the name of the file, or in its
        path if there is a ``/`` in it. What its parentheses enclose is the
        group; without any, all that it matches.

    Returns
    -------
    keys : list of str
        The group of each sound.
    faults : list of str
        What is wrong with the pattern, one sentence each.

    Example
    -------
    >>> sounds = [Sound("a/7_x.wav", ("a",)), Sound("b/7_y.wav", ("b",))]
    >>> keys_by_pattern(sounds, r"(\\d+)_")
    (['7', '7'], [])
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        return [], [
            f"group_by is {pattern!r:.120}, which is no regular expression: "
            f"{error}."
        ]
    keys, without = [], []
    for sound in sounds:
        path = PurePosixPath(sound.path)
        match = compiled.search(sound.path if "/" in pattern else path.name)
        if match is None:
            without.append(sound.path)
        else:
            keys.append("/".join(map(str, match.groups())) or match.group())
    if without:
        return [], [
            f"group_by {pattern!r:.120} matches {len(keys)} of {len(sounds)} "
            f"names, and not {name_some(without)}: change the pattern so that "
            "it matches each."
        ]
    return keys, []


def describe(
    groups: Groups, names: Sequence[str], splits: Sequence[str]
) -> list[dict]:
    """Describes the groups of more than one sound, for the record.

    Arguments
    ---------
    groups : Groups
        The groups.
    names : sequence of str
        Names of the sounds.
    splits : sequence of str
        The split of each sound.

    Returns
    -------
    list of dict
        For each group, its sounds, their splits and the reasons.
    """
    of_each = groups.of_each()
    members: dict[int, list[int]] = {}
    for number, group in enumerate(of_each):
        members.setdefault(group, []).append(number)
    reasons: dict[int, list[dict]] = {}
    for numbers, reason in groups.reasons:
        entry = {**reason, "sounds": [names[number] for number in numbers]}
        reasons.setdefault(of_each[numbers[0]], []).append(entry)
    return [
        {
            "splits": sorted({splits[number] for number in numbers}),
            "sounds": [names[number] for number in numbers],
            "reasons": reasons[group],
        }
        for group, numbers in members.items()
        if len(numbers) > 1
    ]
