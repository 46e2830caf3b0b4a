"""Tests of the fold protocols."""

import pytest
from speechbrain_petl.dataio.folds import check_folds, choose_folds


@pytest.mark.parametrize(
    "train, valid, test, message",
    [
        ([1, 2], [2], [3], "Fold 2 is in both train and valid"),
        ([1, 2], [3], [1], "Fold 1 is in both train and test"),
        ([1, 2], [3], [3], "Fold 3 is in both valid and test"),
        ([1, 6], [2], [3], "Fold 6 of train does not exist.*1 to 5"),
        ([1], [2], ["3"], "Fold '3' of test does not exist"),
        ([], [2], [3], "list of train folds is empty"),
        ([1], [], [3], "list of valid folds is empty"),
        ([1], [2], [], "list of test folds is empty"),
    ],
)
def test_bad_folds_are_refused(train, valid, test, message):
    with pytest.raises(ValueError, match=message):
        check_folds(train, valid, test, range(1, 6), 5)


def test_missing_training_folds_are_left_out_with_one_warning(caplog):
    folds = check_folds([4, 1, 3], [2], [5], [1, 2, 5], 5)
    assert folds == ([1], [2], [5])
    assert len(caplog.records) == 1
    assert "[3, 4]" in caplog.text


@pytest.mark.parametrize(
    "available, message",
    [
        ([1, 2, 3, 5], "Fold 4, wanted for valid.*\\[1, 2, 3, 5\\]"),
        ([1, 2, 3, 4], "Fold 5, wanted for test.*\\[1, 2, 3, 4\\]"),
        ([4, 5], "No fold is left to train on.*\\[4, 5\\]"),
    ],
)
def test_missing_folds_that_cannot_be_left_out(available, message):
    with pytest.raises(ValueError, match=message):
        check_folds([1, 2, 3], [4], [5], available, 5)


def test_explicit_lists_win_and_go_together():
    available = range(1, 6)
    folds = choose_folds(1, 5, available, [3], [2], [1, 4])
    assert folds == {"train": [3], "valid": [2], "test": [1, 4]}
    with pytest.raises(ValueError, match="go together"):
        choose_folds(1, 5, available, train_folds=[3])


def test_only_the_papers_protocol_goes_without_validation():
    available = range(1, 11)
    folds = choose_folds(2, 10, available, protocol="paper")
    assert folds["train"] == [1, 3, 4, 5, 6, 7, 8, 9, 10]
    assert folds["valid"] == [] and folds["test"] == [2]
    folds = choose_folds(1, 10, available, [3], [], [2], protocol="paper")
    assert folds == {"train": [3], "valid": [], "test": [2]}
    with pytest.raises(ValueError, match="valid folds is empty"):
        choose_folds(1, 10, available, [3], [], [2])
    with pytest.raises(ValueError, match="'papre'.*rotate, paper"):
        choose_folds(1, 10, available, protocol="papre")
