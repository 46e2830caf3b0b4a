"""A metric against trainable parameters (Fig. 3), and few-shot curves."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter
from speechbrain_petl.experiments.reporting.figures.direct_labels import (
    height_for,
    label_beside,
)
from speechbrain_petl.experiments.reporting.figures.families import (
    COLORS,
    family_of,
    legend_of_families,
)
from speechbrain_petl.experiments.reporting.figures.style import (
    LINES,
    MARKERS,
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

    Families of methods have a color each; names stand beside the lines.

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
    figure, axes = _axes(lines)
    ends = {}
    for name, points, look in _looks(lines):
        points = sorted(points)
        if all(point.x == 0 for point in points):
            level = {"color": look["color"], "linestyle": look["linestyle"]}
            axes.axhline(points[0].mean, linewidth=1, **level)
            ends[name] = (math.inf, points[0].mean)
        else:
            points = [point for point in points if point.x > 0]
            ends[name] = _draw(axes, points, look)
    axes.set_xscale("log")
    axes.set_xlabel("trainable parameters, without the head")
    return _finish(figure, axes, ends, title, metric)


def against_shots(
    lines: Mapping[str, Sequence[Point]],
    title: str,
    metric: Metric = Metric(),
) -> Figure:
    """Draws a metric against training clips of each class, a line a method.

    Colors and names are as in ``against_parameters``.

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
    figure, axes = _axes(lines)
    ends = {}
    for name, points, look in _looks(lines):
        ends[name] = _draw(axes, sorted(points), look)
    shots = sorted({point.x for points in lines.values() for point in points})
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks(shots)
    axes.set_xlabel("training clips of each class")
    return _finish(figure, axes, ends, title, metric)


def _axes(lines):
    """Returns a figure that names of all lines fit beside, and its axes."""
    figure = new_figure(7.6, height_for(len(lines)) + 1.6)
    return figure, figure.subplots()


def _looks(lines):
    """Yields name, points and style: a family's color, marks of its own."""
    seen: Counter[str] = Counter()
    for name, points in lines.items():
        family = family_of(name)
        index = seen[family]
        seen[family] += 1
        yield (
            name,
            points,
            {
                "color": COLORS[family],
                "marker": MARKERS[index % len(MARKERS)],
                "linestyle": LINES[index % len(LINES)],
            },
        )


def _draw(axes, points, look):
    """Draws a line with its points and their deviations; returns its end."""
    axes.errorbar(
        [point.x for point in points],
        [point.mean for point in points],
        [point.deviation for point in points],
        markersize=5,
        linewidth=1,
        elinewidth=0.6,
        capsize=2,
        **look,
    )
    return points[-1].x, points[-1].mean


def _finish(figure, axes, ends, title, metric):
    """Adds what both figures have: labels, title and the families' colors."""
    axes.set_ylabel(f"test {metric.label}")
    axes.grid(alpha=0.3)
    label_beside(axes, ends, {name: COLORS[family_of(name)] for name in ends})
    legend_of_families(figure, ends)
    figure.suptitle(title, fontsize=10)
    return figure
