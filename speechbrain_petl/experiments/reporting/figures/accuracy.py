"""A metric against trainable parameters (Fig. 3), and few-shot curves."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter
from speechbrain_petl.experiments.reporting.figures.style import (
    legend_beside,
    looks,
    new_figure,
)
from speechbrain_petl.utils.metric import Metric


class Point(NamedTuple):
    """A mean as it is told, its standard deviation, and its position x."""

    x: float
    mean: float
    deviation: float = 0.0


def against_parameters(
    lines: Mapping[str, Sequence[Point]],
    title: str,
    metric: Metric = Metric(),
) -> Figure:
    """Draws a metric against trainable parameters, a line a method.

    Arguments
    ---------
    lines : dict of str to sequence of Point
        By method; ``x`` counts parameters without the head. What trains none
        (a linear probe) becomes a level line, for a logarithm has no zero.
    title : str
        Of the figure.
    metric : Metric
        What is drawn.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = new_figure(7.2, 4.2)
    axes = figure.subplots()
    for (name, points), look in zip(lines.items(), looks(len(lines))):
        points = sorted(points)
        if all(point.x == 0 for point in points):
            level = {**look, "marker": "", "linewidth": 1}
            axes.axhline(points[0].mean, label=name, **level)
        else:
            _draw(axes, name, [p for p in points if p.x > 0], look)
    axes.set_xscale("log")
    axes.set_xlabel("trainable parameters, without the head")
    return _finish(figure, axes, title, metric)


def against_shots(
    lines: Mapping[str, Sequence[Point]],
    title: str,
    metric: Metric = Metric(),
) -> Figure:
    """Draws a metric against training clips of each class, a line a method.

    Arguments
    ---------
    lines : dict of str to sequence of Point
        By method; ``x`` is the number of clips.
    title : str
        Of the figure.
    metric : Metric
        What is drawn.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = new_figure(6.4, 4.0)
    axes = figure.subplots()
    shots = sorted({point.x for points in lines.values() for point in points})
    for (name, points), look in zip(lines.items(), looks(len(lines))):
        _draw(axes, name, sorted(points), look)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks(shots)
    axes.set_xlabel("training clips of each class")
    return _finish(figure, axes, title, metric)


def _draw(axes, name, points, look):
    """Draws a line with its points and their deviations."""
    axes.errorbar(
        [point.x for point in points],
        [point.mean for point in points],
        [point.deviation for point in points],
        label=name,
        markersize=5,
        linewidth=1,
        elinewidth=0.6,
        capsize=2,
        **look,
    )


def _finish(figure, axes, title, metric):
    """Adds what both figures have: axis labels, title and legend."""
    axes.set_ylabel(f"test {metric.label}")
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
    legend_beside(figure, axes)
    return figure
