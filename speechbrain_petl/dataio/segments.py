"""Cuts long recordings into windows of the length that a model reads."""

import math


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
