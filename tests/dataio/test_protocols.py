"""Each fold is tested on once, and never seen in training then."""

import pytest
from speechbrain_petl.dataio.protocols import leave_one_out, rotate


@pytest.mark.parametrize("n_folds", [3, 5, 10])
def test_rotation_uses_each_fold_once_and_never_twice(n_folds):
    tested, validated = [], []
    for test_fold in range(1, n_folds + 1):
        train, valid, test = rotate(test_fold, n_folds)
        assert sorted(train + valid + test) == list(range(1, n_folds + 1))
        assert len(train) == n_folds - 2
        tested += test
        validated += valid
    assert sorted(tested) == sorted(validated) == list(range(1, n_folds + 1))


def test_rotation_validates_on_the_fold_before():
    assert rotate(5) == ([1, 2, 3], [4], [5])
    assert rotate(1) == ([2, 3, 4], [5], [1])
    assert rotate(1, 10)[1] == [10]


@pytest.mark.parametrize("fold", [0, 6, -1, "1", None])
def test_rotation_of_an_unknown_fold(fold):
    with pytest.raises(ValueError, match="1 to 5"):
        rotate(fold)


def test_leaving_one_out_validates_on_nothing():
    assert leave_one_out(2, 4) == ([1, 3, 4], [], [2])
    with pytest.raises(ValueError, match="test_fold is 5.*1 to 4"):
        leave_one_out(5, 4)
