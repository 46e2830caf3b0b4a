"""What many runs say together: means, intervals, a paired test."""

from collections.abc import Sequence
from statistics import mean, stdev
from typing import NamedTuple

import numpy as np
from scipy import stats
from speechbrain_petl.experiments.reporting.collect import Result

RESAMPLES = 100_000  # sign flips, where not all can be enumerated


class Summary(NamedTuple):
    """Accuracies in % of a variant on a corpus.

    Arguments
    ---------
    done, expected : int
        Cells that are finished, and cells of the plan.
    mean : float
        Over finished cells.
    deviation : float or None
        Sample standard deviation; None for one cell.
    pooled : float
        Over all clips that were tested, each counted once.
    low, high : float
        95 % interval of the pooled one, by Wilson.
    trainable : dict of str to int
        Parameters by kind.
    """

    done: int
    expected: int
    mean: float
    deviation: float | None
    pooled: float
    low: float
    high: float
    trainable: dict[str, int]

    @property
    def complete(self) -> bool:
        """Returns True if no cell is missing."""
        return self.done == self.expected

    def text(self) -> str:
        """Returns mean and deviation, and the number of cells if some are missing."""
        spread = "" if self.deviation is None else f" ± {self.deviation:.2f}"
        missing = "" if self.complete else f" ({self.done}/{self.expected})"
        return f"{self.mean:.2f}{spread}{missing}"


def summarize(results: Sequence[Result]) -> Summary | None:
    """Summarizes the cells of a variant on a corpus.

    Arguments
    ---------
    results : sequence of Result
        All cells of the plan that belong together.

    Returns
    -------
    Summary or None
        None where no cell is finished.
    """
    found = [result.results for result in results if result.results]
    if not found:
        return None
    accuracies = [100 * run["accuracy"] for run in found]
    correct, total = _pool(results)
    interval = stats.binomtest(round(correct), total).proportion_ci(
        method="wilson"
    )
    return Summary(
        len(found),
        len(results),
        mean(accuracies),
        stdev(accuracies) if len(accuracies) > 1 else None,
        100 * correct / total,
        100 * float(interval.low),
        100 * float(interval.high),
        found[0]["trainable"],
    )


def _pool(results):
    """Returns the numbers of correct and of tested clips, each counted once.

    Seeds and draws test the same clips again, which tells more about the
    method, but no more about other clips: they are averaged.
    """
    folds: dict = {}
    for result in results:
        if result.results:
            folds.setdefault(result.cell["fold"], []).append(result.results)
    correct = [
        mean(run["n_correct"] for run in runs) for runs in folds.values()
    ]
    return sum(correct), sum(runs[0]["n_test"] for runs in folds.values())


class Comparison(NamedTuple):
    """Two variants on the same folds, seeds and draws.

    Arguments
    ---------
    pairs : int
        Cells that both have finished.
    difference : float
        Mean of the first's accuracy minus the second's, in %.
    permutation : float
        p-value of the paired permutation test, two-sided; exact where
        enumerable.
    least : float
        The smallest one that so many pairs can give.
    t_test : float
        p-value of the paired t-test, two-sided.
    """

    pairs: int
    difference: float
    permutation: float
    least: float
    t_test: float


def compare(first: Sequence[Result], second: Sequence[Result]) -> Comparison:
    """Tests whether two variants differ, cell by cell.

    Arguments
    ---------
    first, second : sequence of Result
        Cells of two variants on one corpus.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If fewer than two cells are finished in both.
    """
    mine, other = (
        {
            _place(r.cell): 100 * r.results["accuracy"]
            for r in group
            if r.results
        }
        for group in (first, second)
    )
    shared = sorted(set(mine) & set(other))
    if len(shared) < 2:
        raise ValueError(
            f"{len(shared)} cells are finished in both variants: a paired "
            "test needs at least 2."
        )
    pairs = np.array([(mine[place], other[place]) for place in shared])
    differences = pairs[:, 0] - pairs[:, 1]
    least = 2 / min(2 ** len(shared), RESAMPLES + 1)
    if not differences.any():
        return Comparison(len(shared), 0.0, 1.0, least, 1.0)
    permutation = stats.permutation_test(
        (pairs[:, 0], pairs[:, 1]),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=RESAMPLES,
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    with np.errstate(all="ignore"):
        t_test = stats.ttest_rel(pairs[:, 0], pairs[:, 1])
    return Comparison(
        len(shared),
        float(differences.mean()),
        float(permutation.pvalue),
        least,
        float(t_test.pvalue),
    )


def _place(cell):
    """Returns what two cells must share to be a pair."""
    return tuple(str(cell[key]) for key in ("seed", "fold", "shots", "draw"))
