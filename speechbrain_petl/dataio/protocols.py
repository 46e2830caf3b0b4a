"""Protocols of corpora that come in folds: which one validates, which tests.

``rotate`` tests on one fold and validates on the fold before it, cyclically.
``paper`` trains on everything but the test fold and validates on nothing: the
last epoch counts, so that nothing is ever selected on the test fold.
``usual`` does the same, by the name that fits a corpus whose leaderboards, and
not the paper, share the folds out so: ESC-50.
"""

Folds = list[int]


def rotate(test_fold: int, n_folds: int = 5) -> tuple[Folds, Folds, Folds]:
    """Divides the folds: one tests, the one before validates, the rest train.

    Arguments
    ---------
    test_fold : int
        Fold to test on, counted from 1.
    n_folds : int
        Number of folds of the whole corpus.

    Returns
    -------
    train, valid, test : list of int

    Raises
    ------
    ValueError
        If there is no such fold.

    Example
    -------
    >>> rotate(5)
    ([1, 2, 3], [4], [5])
    >>> rotate(1)
    ([2, 3, 4], [5], [1])
    """
    train, _, test = leave_one_out(test_fold, n_folds)
    valid = (test_fold - 2) % n_folds + 1
    return [fold for fold in train if fold != valid], [valid], test


def leave_one_out(test_fold: int, n_folds: int) -> tuple[Folds, Folds, Folds]:
    """Divides the folds: one tests, all others train.

    Arguments
    ---------
    test_fold : int
        Fold to test on, counted from 1.
    n_folds : int
        Number of folds of the whole corpus.

    Returns
    -------
    train, valid, test : list of int
        ``valid`` is empty.

    Raises
    ------
    ValueError
        If there is no such fold.

    Example
    -------
    >>> leave_one_out(2, n_folds=4)
    ([1, 3, 4], [], [2])
    """
    if test_fold not in range(1, n_folds + 1):
        raise ValueError(
            f"test_fold is {test_fold!r}, but the folds of this corpus are "
            f"1 to {n_folds}: give one of these numbers."
        )
    train = [fold for fold in range(1, n_folds + 1) if fold != test_fold]
    return train, [], [test_fold]


PROTOCOLS = {"rotate": rotate, "paper": leave_one_out, "usual": leave_one_out}
