"""Cuts long recordings into windows of the length that a model reads."""

import math
from collections.abc import Sequence

LONGEST = 10.24  # seconds of the longest clip that AudioSet's models read
SHORTEST = 0.48
STEP = 0.16  # seconds of a patch of AST


def fitting_window(durations: Sequence[float]) -> float:
    """Chooses a window in which most of the sounds fit.

    Arguments
    ---------
    durations : sequence of float
        Durations of the sounds in seconds; at least one.

    Returns
    -------
    float
        Seconds: the 95th percentile, rounded up to ``STEP``, at least
        ``SHORTEST`` and at most ``LONGEST``.

    Example
    -------
    >>> fitting_window([5.0] * 19 + [60.0]), fitting_window([60.0, 30.0])
    (5.12, 10.24)
    """
    ordered = sorted(durations)
    common = ordered[math.ceil(0.95 * len(ordered)) - 1]
    # A sound of 5.0 s is stored as 4.9999, or as 5.0001.
    window = math.ceil(round(common / STEP, 2)) * STEP
    return round(min(max(window, SHORTEST), LONGEST), 2)


def window_starts(total: int, size: int, n: int | None = None) -> list[int]:
    """Returns where windows begin that cover a recording.

    They are spread evenly, the first at the beginning and the last at the
    end. By default they overlap as little as whole windows can.

    Arguments
    ---------
    total : int
        Length of the recording in samples.
    size : int
        Length of a window in samples.
    n : int, optional
        Number of windows, 2 or more, whatever they leave out or share.

    Returns
    -------
    list of int
        First samples of the windows; one window if the recording is shorter.

    Example
    -------
    >>> window_starts(100, 40), window_starts(80, 40), window_starts(30, 40)
    ([0, 30, 60], [0, 40], [0])
    >>> window_starts(100, 40, n=4)
    [0, 20, 40, 60]
    """
    if total <= size:
        return [0]
    n = math.ceil(total / size) if n is None else n
    return [round(i * (total - size) / (n - 1)) for i in range(n)]


def segments(
    start: float, end: float, rate: int, window: float | None
) -> list[tuple[int, int]]:
    """Cuts a part of a file into windows, in samples of the file.

    Arguments
    ---------
    start, end : float
        The part in seconds.
    rate : int
        Sample rate of the file in Hz.
    window : float, optional
        Length of a window in seconds; None leaves the part whole.

    Returns
    -------
    list of (int, int)
        First sample of each window, and the one after its last.

    Example
    -------
    >>> segments(1.0, 3.5, rate=100, window=1.0)
    [(100, 200), (175, 275), (250, 350)]
    """
    first, last = round(start * rate), round(end * rate)
    size = last - first if window is None else round(window * rate)
    return [
        (first + begin, min(first + begin + size, last))
        for begin in window_starts(last - first, size)
    ]
