"""Splits that are given, drawn, or made of folds."""

import pytest
from speechbrain_petl.dataio.allot import Plan, allot
from speechbrain_petl.dataio.collection import Collection
from speechbrain_petl.dataio.groups import Groups
from speechbrain_petl.dataio.sounds import Sound


def collection(*splits, joined=()):
    """Sounds of two classes by turns, with the splits that they are given."""
    sounds = [
        Sound(f"{i}.wav", (("cat", "dog")[i % 2],), split)
        for i, split in enumerate(splits)
    ]
    groups = Groups(len(sounds))
    for numbers in joined:
        groups.join(numbers, {"why": "one speaker"})
    return Collection(sounds, [], groups, tagging=False)


def test_folds_are_the_same_whichever_is_tested():
    plans = [Plan(n_folds=4, test_fold=fold) for fold in (1, 2, 3, 4)]
    found = [allot(collection(*[None] * 40), plan) for plan in plans]
    folds = found[0][1]
    assert set(folds) == {1, 2, 3, 4}
    for plan, (splits, again) in zip(plans, found):
        assert again == folds
        tested = {f for f, s in zip(folds, splits) if s == "test"}
        assert tested == {plan.test_fold}
        assert set(splits) == {"train", "valid", "test"}


def test_groups_stay_together_where_splits_are_drawn():
    joined = [(i, i + 2) for i in range(0, 40, 4)]
    splits, folds = allot(collection(*[None] * 40, joined=joined), Plan())
    assert folds is None and set(splits) == {"train", "valid", "test"}
    assert all(splits[one] == splits[other] for one, other in joined)


def test_given_splits_are_kept_and_lacking_ones_come_from_training():
    given = ["train"] * 32 + ["test"] * 8
    sounds = collection(*given, joined=[(0, 32)])
    splits, _ = allot(sounds, Plan())
    assert sounds.faults == []
    assert splits[32:] == given[32:] and set(splits[:32]) == {"train", "valid"}
    notes = "\n".join(sounds.notes)
    assert (
        f"{splits.count('valid')} sounds are taken from the training" in notes
    )
    assert "divide 1 groups" in notes and "0.wav" in notes


@pytest.mark.parametrize(
    ("given", "plan", "message"),
    [
        (["train"] * 12, Plan(n_folds=3), "Both splits and n_folds"),
        (["valid", "test"] * 6, Plan(), "no sound is in 'train'"),
        (
            ["train", "test", "train", "valid"],
            Plan(),
            "1 classes have no sound",
        ),
    ],
)
def test_splits_that_cannot_be_are_faults(given, plan, message):
    sounds = collection(*given)
    splits, folds = allot(sounds, plan)
    assert splits == [] and folds is None
    assert any(message in fault for fault in sounds.faults)
