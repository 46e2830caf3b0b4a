"""Which variant did best on a corpus, and which are not told apart from it."""

from collections.abc import Sequence

from speechbrain_petl.experiments.reporting.figures.ranking import (
    Ranked,
    best_first,
)
from speechbrain_petl.experiments.reporting.rows import Row
from speechbrain_petl.utils.messages import name_some
from speechbrain_petl.utils.metric import Metric


def ranked(rows: Sequence[Row]) -> list[Ranked]:
    """Returns the rows of which a cell is finished, to be sorted."""
    return [
        Ranked(
            row.variant,
            row.summary.mean,
            row.summary.deviation,
            row.summary.trainable["method"] + row.summary.trainable["norm"],
        )
        for row in rows
        if row.summary is not None
    ]


def name_best(rows: Sequence[Row], metric: Metric) -> str:
    """Names the best variant on a corpus, in a sentence or two.

    Arguments
    ---------
    rows : sequence of Row
        Those of one corpus and one number of shots.
    metric : Metric
        Says what is better.

    Returns
    -------
    str
        Empty where fewer than two variants have a finished cell.
    """
    every = best_first(ranked(rows), metric)
    if len(every) < 2:
        return ""
    best = every[0]
    n = metric.decimals
    spread = "" if best.deviation is None else f" ± {best.deviation:.{n}f}"
    unit = " %" if metric.in_percent else f" {metric.words}"
    text = (
        f"Best: {best.variant}, {best.mean:.{n}f}{spread}{unit}, with "
        f"{best.trainable:,} trained parameters beside the head."
    )
    found = {row.variant: row.summary for row in rows if row.summary}
    low = found[best.variant].low
    if low is None or metric.name != "accuracy":  # what intervals are of
        return text
    near = [one.variant for one in every[1:] if found[one.variant].high >= low]
    if near:
        text += (
            f" The 95 % intervals of {name_some(near)} overlap with its own: "
            "see compare."
        )
    return text
