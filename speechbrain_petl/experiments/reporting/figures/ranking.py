"""Variants from the best to the last: a dot each, labeled directly."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.figure import Figure
from speechbrain_petl.experiments.reporting.figures.families import (
    COLORS,
    family_of,
    legend_of_families,
)
from speechbrain_petl.experiments.reporting.figures.style import new_figure
from speechbrain_petl.utils.metric import Metric


class Ranked(NamedTuple):
    """A variant: its mean as it is told, deviation, and trained parameters."""

    variant: str
    mean: float
    deviation: float | None
    trainable: int


def best_first(ranked: Sequence[Ranked], metric: Metric) -> list[Ranked]:
    """Sorts variants, the best first; of equal ones the smaller.

    Arguments
    ---------
    ranked : sequence of Ranked
        The variants.
    metric : Metric
        Says what is better.

    Returns
    -------
    list of Ranked

    Example
    -------
    >>> two = [Ranked("big", 80.0, None, 10), Ranked("small", 80.0, None, 5)]
    >>> [one.variant for one in best_first(two, Metric())]
    ['small', 'big']
    """
    return sorted(ranked, key=lambda r: (-metric.sign * r.mean, r.trainable))


def draw_ranking(
    ranked: Sequence[Ranked], title: str, metric: Metric = Metric()
) -> Figure:
    """Draws means and standard deviations, a line a variant, sorted.

    Arguments
    ---------
    ranked : sequence of Ranked
        The variants.
    title : str
        Of the figure.
    metric : Metric
        What is drawn.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = best_first(ranked, metric)[::-1]  # the axis goes up
    figure = new_figure(7.2, 1.6 + 0.27 * len(rows))
    axes = figure.subplots()
    for height, row in enumerate(rows):
        color = COLORS[family_of(row.variant)]
        axes.errorbar(
            *(row.mean, height),
            xerr=row.deviation or None,
            **{"fmt": "o", "color": color, "markersize": 6},
            **{"elinewidth": 1.2, "capsize": 2},
        )
        axes.annotate(
            f"{row.mean:.{metric.decimals}f}",
            (row.mean + (row.deviation or 0), height),
            xytext=(7, 0),
            **{"textcoords": "offset points", "va": "center", "fontsize": 8},
        )
    axes.set_yticks(
        range(len(rows)),
        [f"{row.variant}  ({_short(row.trainable)})" for row in rows],
        fontsize=9,
    )
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.margins(x=0.14)
    axes.set_xlabel(f"test {metric.label}")
    axes.grid(axis="x", alpha=0.3)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    legend_of_families(figure, [row.variant for row in rows])
    figure.suptitle(title, fontsize=10)
    return figure


def _short(count):
    """Returns a number of parameters in two or three digits.

    Example
    -------
    >>> _short(0), _short(950), _short(28170), _short(86_000_000)
    ('0', '950', '28K', '86M')
    """
    for unit, size in (("M", 1e6), ("K", 1e3)):
        if count >= size:
            part = count / size
            return f"{part:.1f}{unit}" if part < 10 else f"{part:.0f}{unit}"
    return str(count)
