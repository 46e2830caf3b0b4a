"""Decides the split of each sound of a collection: given, drawn, or folds."""

from collections import Counter
from dataclasses import dataclass

from speechbrain_petl.dataio.collection import Collection
from speechbrain_petl.dataio.protocols import rotate
from speechbrain_petl.dataio.sounds import SPLITS
from speechbrain_petl.dataio.splits import complete, share_out, too_few
from speechbrain_petl.utils.messages import name_some

FEWEST_FOLDS = 3  # one to train, one to validate, one to test
FAR_OFF = 0.05  # by which the share of a split is off without a note


@dataclass(frozen=True)
class Plan:
    """How sounds are to be shared out.

    Arguments
    ---------
    valid_share, test_share : float
        Shares of the sounds that validate and test.
    n_folds : int, optional
        Number of folds; without it, three splits are drawn.
    test_fold : int
        The fold that tests, from 1; the one before it validates.
    seed : int
        Seed of the draw.

    Raises
    ------
    ValueError
        If the shares or the folds are impossible.

    Example
    -------
    >>> Plan().shares
    {'train': 0.7, 'valid': 0.15, 'test': 0.15}
    >>> Plan(n_folds=4).sides
    {2: 'train', 3: 'train', 4: 'valid', 1: 'test'}
    """

    valid_share: float = 0.15
    test_share: float = 0.15
    n_folds: int | None = None
    test_fold: int = 1
    seed: int = 1234

    def __post_init__(self):
        smaller, larger = sorted((self.valid_share, self.test_share))
        if not (smaller > 0 and smaller + larger < 1):
            raise ValueError(
                f"valid_share is {self.valid_share} and test_share is "
                f"{self.test_share}: give shares between 0 and 1 that leave "
                "some sounds to train on, such as 0.15."
            )
        if self.n_folds is not None and self.n_folds < FEWEST_FOLDS:
            raise ValueError(
                f"n_folds is {self.n_folds}: give {FEWEST_FOLDS} or more, as "
                "one tests, one validates and the others train."
            )
        self.sides  # noqa: B018 (raises if there is no such test fold)

    @property
    def shares(self) -> dict[str, float]:
        """Returns the share of each split."""
        train = round(1 - self.valid_share - self.test_share, 6)
        return dict(zip(SPLITS, (train, self.valid_share, self.test_share)))

    @property
    def sides(self) -> dict[int, str]:
        """Returns the split that each fold belongs to; none without folds."""
        if self.n_folds is None:
            return {}
        folds = rotate(self.test_fold, self.n_folds)
        return {fold: s for s, some in zip(SPLITS, folds) for fold in some}


def allot(
    collection: Collection, plan: Plan
) -> tuple[list[str], list[int] | None]:
    """Decides the split of each sound.

    Splits that the collection has are kept, and one that it lacks is drawn
    from its training split. Otherwise all are drawn, or made of folds.

    Arguments
    ---------
    collection : Collection
        The sounds. Its faults and notes get what is found here.
    plan : Plan
        How to share them out.

    Returns
    -------
    splits : list of str
        The split of each sound, empty if there are faults.
    folds : list of int or None
        The fold of each sound, where there are folds.
    """
    labels = [sound.labels for sound in collection.sounds]
    groups = collection.groups.of_each()
    given = [sound.split for sound in collection.sounds]
    if plan.sides:
        if any(given):
            collection.faults.append(
                "Both splits and n_folds are given: remove the column split "
                "(or the folders train, valid and test), or n_folds."
            )
        _require_groups(collection, labels, groups, FEWEST_FOLDS)
        if collection.faults:
            return [], None
        # In one order whichever fold tests, so that folds are always the same
        ordered = sorted(plan.sides)
        equal = {str(fold): 1 / len(ordered) for fold in ordered}
        folds = [int(f) for f in share_out(labels, groups, equal, plan.seed)]
        _note_absent(collection, folds, ordered, "fold")
        return [plan.sides[fold] for fold in folds], folds
    if any(given):
        splits = _keep(collection, given, labels, groups, plan)
    else:
        _require_groups(collection, labels, groups, len(SPLITS))
        if collection.faults:
            return [], None
        splits = share_out(labels, groups, plan.shares, plan.seed)
        _note_shares(collection, splits, plan.shares)
    if not collection.faults:
        _note_absent(collection, splits, SPLITS, "split")
    return splits, None


def _require_groups(collection, labels, groups, needed):
    """Adds a fault if a class has too few groups."""
    collection.faults += too_few(labels, groups, needed, collection.tagging)


def _keep(collection, given, labels, groups, plan):
    """Returns the given splits, and what they lack drawn from training."""
    if "train" not in given:
        collection.faults.append(
            "Splits are given, but no sound is in 'train': give some."
        )
        return []
    inside = [i for i, split in enumerate(given) if split == "train"]
    lacking = [split for split in SPLITS if split not in given]
    taught = {name for i in inside for name in labels[i]}
    untaught = {name for names in labels for name in names} - taught
    if untaught:
        collection.faults.append(
            f"{len(untaught)} classes have no sound in the training split: "
            f"{name_some(sorted(untaught))}; move some there."
        )
    if lacking:
        _require_groups(
            collection,
            [labels[i] for i in inside],
            [groups[i] for i in inside],
            1 + len(lacking),
        )
    if collection.faults:
        return []
    splits = complete(given, labels, groups, plan.shares, plan.seed)
    for split in lacking:
        collection.notes.append(
            f"No split {split!r} is given: {splits.count(split)} sounds are "
            "taken from the training split for it."
        )
    _note_leaks(collection, splits, groups)
    return splits


def _note_leaks(collection, splits, groups):
    """Notes the groups that the given splits divide."""
    sides: dict[int, set[str]] = {}
    for split, group in zip(splits, groups):
        sides.setdefault(group, set()).add(split)
    divided = [group for group, found in sides.items() if len(found) > 1]
    if divided:
        names = [collection.sounds[group].name for group in divided]
        collection.notes.append(
            f"The given splits divide {len(divided)} groups of sounds that "
            "belong together, so that results may be too good: those of "
            f"{name_some(names)}; groups.json has the reasons."
        )


def _note_shares(collection, splits, shares):
    """Notes splits that groups made larger or smaller than wanted."""
    for split, share in shares.items():
        found = splits.count(split) / len(splits)
        if abs(found - share) > FAR_OFF:
            collection.notes.append(
                f"The split {split!r} has {found:.0%} of the sounds instead "
                f"of {share:.0%}, as groups are not divided."
            )


def _note_absent(collection, places, all_places, what):
    """Notes the classes that are not in each split or fold."""
    present = Counter(
        (name, place)
        for sound, place in zip(collection.sounds, places)
        for name in sound.labels
    )
    absent = [
        f"{name!r:.60} in {', '.join(lacking)}"
        for name in collection.labels
        if (lacking := [str(p) for p in all_places if not present[name, p]])
    ]
    if absent:
        collection.notes.append(
            f"{len(absent)} classes are not in each {what}: {name_some(absent)}."
        )
