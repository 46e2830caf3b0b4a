"""Shares sounds out among splits: stratified by class, groups undivided."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence

from speechbrain_petl.utils.messages import name_some


def share_out(
    labels: Sequence[Sequence[str]],
    groups: Sequence[int],
    shares: Mapping[str, float],
    seed: int,
) -> list[str]:
    """Assigns each sound a split, so that each split has its share of a class.

    Groups are placed one after the other, large ones first, each where the
    squared distances to the wanted numbers of sounds of its classes grow
    least. For groups of one sound and one class no number is further than 1
    above its share, and no class of as many groups as there are splits is
    missing in any. A group of n sounds may shift these numbers by n.

    Arguments
    ---------
    labels : sequence of sequence of str
        The classes of each sound.
    groups : sequence of int
        The group of each sound.
    shares : mapping of str to float
        The share of each split; they sum to 1.
    seed : int
        Seed of the order of groups that are alike.

    Returns
    -------
    list of str
        The split of each sound.

    Example
    -------
    >>> labels = [("dog",)] * 20 + [("cat",)] * 10
    >>> shares = {"train": 0.7, "valid": 0.15, "test": 0.15}
    >>> found = share_out(labels, range(30), shares, seed=0)
    >>> sorted(Counter(found[:20]).items())
    [('test', 3), ('train', 14), ('valid', 3)]
    """
    sizes: dict[int, Counter[str | None]] = {}
    for names, group in zip(labels, groups):
        # Sounds without any class are shared out as if they were one.
        classes: Sequence[str | None] = names or [None]
        sizes.setdefault(group, Counter()).update(classes)
    order = sorted(sizes)
    random.Random(seed).shuffle(order)
    order.sort(key=lambda group: -sum(sizes[group].values()))
    reserved: set = set()
    while True:
        placed = _place(order, sizes, shares, reserved)
        lacking = _lacking(placed, sizes, shares) - reserved
        if not lacking:
            return [placed[group] for group in groups]
        reserved |= lacking


def _place(order, sizes, shares, reserved):
    """Assigns each group a split; first, some of the rare classes."""
    totals: Counter = Counter()
    for size in sizes.values():
        totals.update(size)
    missing = {s: {c: shares[s] * n for c, n in totals.items()} for s in shares}
    room = {s: share * totals.total() for s, share in shares.items()}

    def put(group, split):
        """Counts a group."""
        room[split] -= sizes[group].total()
        for name, n in sizes[group].items():
            missing[split][name] -= n

    placed = _reserve(order, sizes, shares, reserved)
    for group, split in placed.items():
        put(group, split)
    for group in order:
        if group in placed:
            continue
        # How much less the squared distances are, relative to the class; of
        # equals, the split that most sounds are missing in.
        gains = {
            split: sum(
                n * (2 * missing[split][name] - n) / totals[name]
                for name, n in sizes[group].items()
            )
            for split in shares
        }
        best = max(shares, key=lambda s: (round(gains[s], 9), room[s]))
        placed[group] = best
        put(group, best)
    return placed


def _reserve(order, sizes, shares, reserved):
    """Assigns each split one group of each rare class, the smallest first."""
    placed: dict[int, str] = {}
    members: dict = {name: [] for name in reserved}
    for group in order:
        for name in reserved & set(sizes[group]):
            members[name].append(group)
    for name in sorted(reserved, key=lambda name: (len(members[name]), name)):
        for split in sorted(shares, key=lambda split: shares[split]):
            if split not in {placed.get(group) for group in members[name]}:
                free = [group for group in members[name] if group not in placed]
                placed.update(dict.fromkeys(free[-1:], split))
    return placed


def _lacking(placed, sizes, shares):
    """Returns the classes that some split has no sound of."""
    present = {(name, placed[g]) for g in placed for name in sizes[g]}
    return {
        name
        for name in {name for name, _ in present} - {None}
        if any((name, split) not in present for split in shares)
    }


def complete(
    given: Sequence[str],
    labels: Sequence[Sequence[str]],
    groups: Sequence[int],
    shares: Mapping[str, float],
    seed: int,
) -> list[str]:
    """Keeps given splits; a split that is not given is taken from training.

    Arguments
    ---------
    given : sequence of str
        The split of each sound.
    labels : sequence of sequence of str
        The classes of each sound.
    groups : sequence of int
        The group of each sound.
    shares : mapping of str to float
        The share that each split should have of what is divided.
    seed : int
        Seed of the choice.

    Returns
    -------
    list of str
        The split of each sound.

    Example
    -------
    >>> given = ["train"] * 10 + ["test"] * 3
    >>> labels = [("dog",)] * 13
    >>> shares = {"train": 0.7, "valid": 0.15, "test": 0.15}
    >>> found = complete(given, labels, range(13), shares, seed=0)
    >>> sorted(Counter(found).items())
    [('test', 3), ('train', 8), ('valid', 2)]
    """
    wanted = {
        split: share
        for split, share in shares.items()
        if split == "train" or split not in given
    }
    total = sum(wanted.values())
    inside = [i for i, split in enumerate(given) if split == "train"]
    drawn = share_out(
        [labels[i] for i in inside],
        [groups[i] for i in inside],
        {split: share / total for split, share in wanted.items()},
        seed,
    )
    found = list(given)
    for i, split in zip(inside, drawn):
        found[i] = split
    return found


def too_few(
    labels: Sequence[Sequence[str]],
    groups: Sequence[int],
    needed: int,
    tagging: bool,
) -> list[str]:
    """Names the classes that cannot be in each split.

    Arguments
    ---------
    labels : sequence of sequence of str
        The classes of each sound.
    groups : sequence of int
        The group of each sound.
    needed : int
        How many groups a class needs.
    tagging : bool
        If True, one group is enough, as sounds have several classes, which
        cannot all be balanced.

    Returns
    -------
    list of str
        One sentence, if any class has too few.

    Example
    -------
    >>> too_few([("dog",)] * 3 + [("cat",)] * 2, [0, 1, 2, 3, 3], 3, False)
    ["1 classes have too few sounds that are independent of each other, of \
which each needs 3: 'cat' (1 group, 2 sounds); add some, or leave the class \
out."]
    """
    counts = Counter(name for names in labels for name in names)
    of_class: dict[str, set[int]] = {}
    for names, group in zip(labels, groups):
        for name in names:
            of_class.setdefault(name, set()).add(group)
    needed = 1 if tagging else needed
    few = [
        f"{name!r:.60} ({_count(len(of_class[name]), 'group')}, "
        f"{_count(counts[name], 'sound')})"
        for name in sorted(of_class)
        if len(of_class[name]) < needed
    ]
    if not few:
        return []
    return [
        f"{len(few)} classes have too few sounds that are independent of each "
        f"other, of which each needs {needed}: {name_some(few)}; add some, or "
        "leave the class out."
    ]


def _count(n, what):
    """Returns a number with its noun."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
