"""What many runs say together: means, intervals, a paired test."""

from collections.abc import Sequence
from statistics import mean, stdev
from typing import NamedTuple

import numpy as np
from speechbrain_petl.experiments.reporting.collect import Result
from speechbrain_petl.utils.interval import wilson
from speechbrain_petl.utils.metric import Metric, metric_of

RESAMPLES = 100_000  # sign flips, where not all can be enumerated


class Summary(NamedTuple):
    """What the runs of a variant on a corpus found; accuracy in %.

    Arguments
    ---------
    done, expected : int
        Cells that are finished, and cells of the plan.
    mean : float
        Over finished cells.
    deviation : float or None
        Sample standard deviation; None for one cell.
    pooled : float or None
        Over all clips that were tested, each counted once; None for a metric
        that is no share of clips.
    low, high : float or None
        95 % interval of the pooled one, by Wilson.
    trainable : dict of str to int
        Parameters by kind.
    """

    done: int
    expected: int
    mean: float
    deviation: float | None
    pooled: float | None
    low: float | None
    high: float | None
    trainable: dict[str, int]
    metric: Metric = Metric()

    @property
    def complete(self) -> bool:
        """Returns True if no cell is missing."""
        return self.done == self.expected

    def text(self) -> str:
        """Returns mean and deviation, and the number of cells if some are missing."""
        n = self.metric.decimals
        spread = "" if self.deviation is None else f" ± {self.deviation:.{n}f}"
        missing = "" if self.complete else f" ({self.done}/{self.expected})"
        return f"{self.mean:.{n}f}{spread}{missing}"


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
    metric = metric_of(found[0])
    values = [_told(run) for run in found]
    pooled = _pooled(results) if metric.in_percent else (None, None, None)
    return Summary(
        len(found),
        len(results),
        mean(values),
        stdev(values) if len(values) > 1 else None,
        *pooled,
        found[0]["trainable"],
        metric,
    )


def _pooled(results):
    """Returns the accuracy over all clips in %, and its interval."""
    correct, total = _pool(results)
    low, high = wilson(round(correct), total)
    return 100 * correct / total, 100 * low, 100 * high


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
        Mean of the first's metric minus the second's; of accuracies in %.
    permutation : float
        p-value of the paired permutation test, two-sided; exact where
        enumerable.
    least : float
        The smallest one that so many pairs can give.
    t_test : float or None
        p-value of the paired t-test, two-sided; None if all differences are
        the same, of which it says nothing.
    """

    pairs: int
    difference: float
    permutation: float
    least: float
    t_test: float | None


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
        {_place(r.cell): _told(r.results) for r in group if r.results}
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
    from scipy import stats  # slow to import

    permutation = stats.permutation_test(
        (pairs[:, 0], pairs[:, 1]),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=RESAMPLES,
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    # Of differences that are all the same, t is infinite and means nothing.
    constant = np.allclose(differences, differences[0], rtol=0, atol=1e-12)
    t_test = None if constant else float(stats.ttest_rel(*pairs.T).pvalue)
    return Comparison(
        len(shared),
        float(differences.mean()),
        float(permutation.pvalue),
        least,
        t_test,
    )


def _told(results):
    """Returns what a run is reported by, as it is told."""
    metric = metric_of(results)
    return metric.scale * results[metric.name]


def _place(cell):
    """Returns what two cells must share to be a pair."""
    return tuple(str(cell[key]) for key in ("seed", "fold", "shots", "draw"))
