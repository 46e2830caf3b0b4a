"""Spectrograms as pictures, for people to look at."""

import numpy as np
from scipy.signal import get_window

RANGE_DB = 80.0


def spectrogram(
    wave: np.ndarray,
    rate: int,
    rows: int = 96,
    columns: int = 320,
    absolute: bool = False,
) -> np.ndarray:
    """Computes a small spectrogram in decibels, low tones at the bottom.

    Frequencies are spaced as on the mel scale, and each value is the loudest
    of those that it stands for, so that short sounds stay visible.

    Arguments
    ---------
    wave : numpy.ndarray
        Waveform [time].
    rate : int
        Its sample rate in Hz.
    rows, columns : int
        Size of the picture.
    absolute : bool
        If True, gives decibels of the power itself, for parts of one picture.

    Returns
    -------
    numpy.ndarray
        Decibels below the loudest [rows, columns], at least ``-RANGE_DB``.

    Example
    -------
    >>> tone = np.sin(np.arange(16000) * 2 * np.pi * 1000 / 16000)
    >>> spectrogram(tone, 16000, rows=20, columns=10).shape
    (20, 10)
    """
    size = 512
    padded = np.pad(wave, (0, max(0, size - len(wave))))
    starts = np.linspace(0, len(padded) - size, columns * 2).astype(int)
    frames = np.stack([padded[s : s + size] for s in starts])
    power = np.abs(np.fft.rfft(frames * get_window("hann", size))) ** 2
    power = power.reshape(columns, 2, -1).max(axis=1)
    edges = _mel_edges(rows, rate, power.shape[1])
    bands = [power[:, a:b].max(axis=1) for a, b in edges]
    decibels = 10 * np.log10(np.stack(bands[::-1]) + 1e-10)
    if absolute:
        return decibels
    return np.maximum(decibels - decibels.max(), -RANGE_DB)


def _mel_edges(rows, rate, bins):
    """Returns first and last bin of each row, from low to high."""
    top = 2595 * np.log10(1 + rate / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, top, rows + 1) / 2595) - 1)
    marks = (hertz / (rate / 2) * (bins - 1)).astype(int)
    return [(a, max(a + 1, b)) for a, b in zip(marks[:-1], marks[1:])]
