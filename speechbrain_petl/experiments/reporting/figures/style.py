"""How all figures look, and how they are written."""

import io
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

import matplotlib
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from speechbrain_petl.utils.files import write_file

MARKERS = "osD^vP*X<>h"
LINES = ("-", "--", ":", "-.")
# Far apart in lightness too, so that they are told apart in grayscale.
COLORS = ("#000000", "#e07b39", "#2f7fc1", "#5b2a86", "#b0b0b0")


def palette(number: int) -> list[str]:
    """Returns colors that all differ, as far apart in hue as they can be.

    Example
    -------
    >>> palette(2)
    ['#1f77b4', '#ff7f0e']
    """
    name = "tab10" if number <= 10 else "turbo"
    colors = matplotlib.colormaps[name].resampled(max(number, 10))
    return [to_hex(colors(index)) for index in range(number)]


def looks(number: int, colors: Sequence[str] = COLORS) -> list[dict]:
    """Returns styles that differ in marker, line and color.

    Arguments
    ---------
    number : int
        How many.
    colors : sequence of str
        Colors to take in turns.

    Returns
    -------
    list of dict
        Keyword arguments of ``Axes.plot``.

    Example
    -------
    >>> looks(2)[1]
    {'marker': 's', 'linestyle': '--', 'color': '#e07b39'}
    """
    styles = zip(cycle(MARKERS), cycle(LINES), cycle(colors))
    return [
        {"marker": marker, "linestyle": line, "color": color}
        for marker, line, color in islice(styles, number)
    ]


def new_figure(width: float = 6.4, height: float = 4.0) -> Figure:
    """Returns an empty figure of a size in inches, with constrained layout."""
    return Figure(figsize=(width, height), layout="constrained")


def legend_beside(figure: Figure, axes) -> None:
    """Puts the legend to the right of the axes, where it covers nothing."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside right upper", fontsize=8, frameon=False
    )


def write_figure(figure: Figure, path: str | Path) -> list[Path]:
    """Writes ``<path>.png`` and ``<path>.svg``, each whole or not at all.

    The same figure gives the same bytes.

    Arguments
    ---------
    figure : matplotlib.figure.Figure
        What to write.
    path : str or Path
        Where, without a suffix.

    Returns
    -------
    list of Path
        The files.

    Example
    -------
    >>> figure = new_figure()
    >>> files = write_figure(figure, getfixture("tmp_path") / "empty")
    >>> [file.name for file in files]
    ['empty.png', 'empty.svg']
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    files = []
    with matplotlib.rc_context({"svg.hashsalt": path.name}):
        for kind, metadata in (
            ("png", {"Software": None}),
            ("svg", {"Date": None}),
        ):
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind, dpi=150, metadata=metadata)
            file = path.with_name(f"{path.name}.{kind}")
            write_file(str(file), buffer.getvalue())
            files.append(file)
    return files
