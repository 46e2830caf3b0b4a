"""Intervals of shares."""


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Returns Wilson's 95 % interval of a share.

    Arguments
    ---------
    successes : int
        How many of them there were.
    trials : int
        Of how many; at least one.

    Returns
    -------
    (float, float)

    Example
    -------
    >>> [round(x, 3) for x in wilson(48, 60)]
    [0.682, 0.882]
    """
    from scipy import stats  # slow to import

    found = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    return float(found.low), float(found.high)
