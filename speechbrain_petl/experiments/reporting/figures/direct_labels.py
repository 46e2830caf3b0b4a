"""Names beside what they name, in a column to the right of the axes."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

LINE = 0.17  # inches between two names


def height_for(number: int) -> float:
    """Returns how high axes must be, in inches, to have names beside them."""
    return max(3.0, LINE * number)


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Moves positions apart, as little as keeps their order.

    Arguments
    ---------
    wanted : sequence of float
        Where each would like to be, from 0 to 1.
    gap : float
        Smallest distance of two.

    Returns
    -------
    list of float
        Positions in the given order; from 0 to 1 if so many gaps fit in.

    Example
    -------
    >>> spread([0.5, 0.5, 0.1], gap=0.25)
    [0.5, 0.75, 0.1]
    >>> spread([1.0, 1.0], gap=0.25)
    [0.75, 1.0]
    """
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    found = list(wanted)
    for low, high in zip(order, order[1:]):
        found[high] = max(found[high], found[low] + gap)
    top = 1.0
    for index in reversed(order):
        found[index] = min(found[index], top)
        top = found[index] - gap
    return found


def label_beside(
    axes: Axes,
    ends: Mapping[str, tuple[float, float]],
    colors: Mapping[str, str],
) -> None:
    """Names points to the right of the axes, each at the end of a thin line.

    Arguments
    ---------
    axes : matplotlib.axes.Axes
        Of final scales and limits, and at least as high as ``height_for``
        says.
    ends : dict of str to (float, float)
        By name, the point in data coordinates; an x of infinity stands for
        the right edge.
    colors : dict of str to str
        By name.
    """
    low, high = axes.get_ylim()
    right = axes.get_xlim()[1]
    wanted = [(y - low) / (high - low) for _, y in ends.values()]
    places = spread(wanted, LINE / height_for(len(ends)))
    for (name, (x, y)), place in zip(ends.items(), places):
        line = {"color": colors[name], "linewidth": 0.6, "alpha": 0.6}
        line |= {"shrinkA": 1, "shrinkB": 3, "relpos": (0, 0.5)}
        axes.annotate(
            name,
            (min(x, right), y),
            xytext=(1.05, place),
            textcoords="axes fraction",
            color=colors[name],
            fontsize=8,
            va="center",
            arrowprops={"arrowstyle": "-", **line},
            annotation_clip=False,
        )
