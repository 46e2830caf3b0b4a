"""Fingerprints of sounds, by which copies and overlapping parts are found.

Landmarks: pairs of peaks of the spectrogram, of which each is a number made of
two frequencies and the time between them (Wang, "An Industrial-Strength Audio
Search Algorithm", ISMIR 2003). They outlive loudness, compression and cutting,
and another recording of a like sound has others. What shares landmarks is
compared frame by frame.
"""

from typing import NamedTuple

import numpy as np
import torch
from scipy.ndimage import maximum_filter1d
from torchaudio.functional import melscale_fbanks

RATE = 16000  # Hz
WINDOW, HOP = 1024, 256  # samples: 64 ms, each 16 ms
LOWEST_BIN, HIGHEST_BIN = 8, 486  # 125 Hz to 7.6 kHz
PEAKS_A_SECOND = 30
REACH_BINS, REACH_FRAMES = 10, 5  # within which a peak is the highest
RANGE_DB = 70.0  # below the loudest, beyond which a peak is noise
FAN = 6  # partners of a peak
NEAREST, FARTHEST = 2, 63  # frames between partners
WIDEST = 100  # bins between partners
N_MELS = 48
SILENT_DB = 60.0  # below the loudest frame
FEWEST_FRAMES = 25  # 0.4 s, below which nothing is compared
CHANCE = 8.0  # over the number of frames: what chance adds to a similarity
SIMILAR = 0.45  # similarity of copies, and of parts that overlap
MELS = melscale_fbanks(WINDOW // 2 + 1, 60.0, 7600.0, N_MELS, RATE)


class Landmarks(NamedTuple):
    """Landmarks of a sound.

    Arguments
    ---------
    keys : numpy.ndarray
        What they are [n], uint32.
    frames : numpy.ndarray
        Where they are, in frames of 16 ms [n], int32.
    """

    keys: np.ndarray
    frames: np.ndarray


def landmarks(waveform: torch.Tensor) -> Landmarks:
    """Finds the landmarks of a sound.

    Arguments
    ---------
    waveform : torch.Tensor
        Mono waveform at 16 kHz [time].

    Returns
    -------
    Landmarks

    Example
    -------
    >>> noise = torch.randn(32000, generator=torch.Generator().manual_seed(0))
    >>> whole, part = landmarks(noise), landmarks(0.1 * noise[8000:])
    >>> len(np.intersect1d(whole.keys, part.keys)) > len(part.keys) / 3
    True
    >>> len(landmarks(torch.zeros(32000)).keys)
    0
    """
    level = 10 * torch.log10(power(waveform) + 1e-10).numpy()
    level = level[LOWEST_BIN:HIGHEST_BIN]
    highest = maximum_filter1d(level, 2 * REACH_BINS + 1, axis=0)
    highest = maximum_filter1d(highest, 2 * REACH_FRAMES + 1, axis=1)
    loud = level > max(level.max() - RANGE_DB, -95.0)
    bins, frames = ((level == highest) & loud).nonzero()
    most = round(PEAKS_A_SECOND * level.shape[1] * HOP / RATE) + 1
    if len(bins) > most:
        strongest = np.argsort(-level[bins, frames], kind="stable")[:most]
        bins, frames = bins[strongest], frames[strongest]
    order = np.lexsort((bins, frames))
    return _pairs(bins[order], frames[order])


def _pairs(bins, frames):
    """Makes a landmark of each peak and each of its next partners."""
    partners = np.zeros(len(bins), dtype=int)
    keys, places = [np.zeros(0, np.uint32)], [np.zeros(0, np.int32)]
    for step in range(1, min(60, len(bins))):
        apart = frames[step:] - frames[:-step]
        rise = bins[step:] - bins[:-step]
        fits = (apart >= NEAREST) & (apart <= FARTHEST)
        fits &= (np.abs(rise) <= WIDEST) & (partners[:-step] < FAN)
        first = fits.nonzero()[0]
        partners[first] += 1
        # 9 bits of frequency, 8 of the rise, 6 of the time between
        key = bins[first] << 14 | (rise[first] + 128) << 6 | apart[first]
        keys.append(key.astype(np.uint32))
        places.append(frames[first].astype(np.int32))
    return Landmarks(np.concatenate(keys), np.concatenate(places))


def power(waveform: torch.Tensor) -> torch.Tensor:
    """Computes the power spectrogram of a waveform [time].

    Arguments
    ---------
    waveform : torch.Tensor
        Mono waveform at 16 kHz [time].

    Returns
    -------
    torch.Tensor
        [513, frames]

    Example
    -------
    >>> power(torch.zeros(16000)).shape
    torch.Size([513, 63])
    """
    short = WINDOW - len(waveform)
    if short > 0:  # the reflection at the ends needs half a window
        waveform = torch.nn.functional.pad(waveform, (0, short))
    window = torch.hann_window(WINDOW)
    spectrum = torch.stft(
        waveform, WINDOW, HOP, window=window, return_complex=True
    )
    return spectrum.abs().square()


def mel_levels(waveform: torch.Tensor) -> np.ndarray:
    """Computes what ``similarity`` compares.

    Arguments
    ---------
    waveform : torch.Tensor
        Mono waveform at 16 kHz [time].

    Returns
    -------
    numpy.ndarray
        Levels of 48 mel bands in dB [48, frames], at most 70 below the
        highest.
    """
    level = 10 * torch.log10(MELS.T @ power(waveform) + 1e-10).numpy()
    return np.maximum(level, level.max() - RANGE_DB)


def similarity(first: np.ndarray, second: np.ndarray, lag: int) -> float:
    """Compares two sounds where they overlap.

    The correlation of their levels in dB, less the mean of each band and of
    each frame: neither loudness, nor color, nor how both swell counts, but
    the grain. What may be chance in a short overlap is subtracted. The result
    is about 0 for different recordings, and above ``SIMILAR`` for copies, most
    of them also after strong compression or in noise 20 dB below.

    Arguments
    ---------
    first, second : numpy.ndarray
        Results of ``mel_levels`` [48, frames].
    lag : int
        Frames by which the same sound is later in ``second``.

    Returns
    -------
    float
        At most 1; 0 if less than 0.4 s of the overlap is loud in both.

    Example
    -------
    >>> noise = torch.randn(32000, generator=torch.Generator().manual_seed(0))
    >>> levels, later = mel_levels(noise), mel_levels(noise[2560:])
    >>> similarity(levels, later, -10) > 0.9, similarity(levels, later, 3) < 0.2
    (True, True)
    """
    begin = max(0, -lag)
    end = min(first.shape[1], second.shape[1] - lag)
    if end - begin < FEWEST_FRAMES:
        return 0.0
    one, two = first[:, begin:end], second[:, begin + lag : end + lag]
    loud = _loud(one) & _loud(two)
    if loud.sum() < FEWEST_FRAMES:
        return 0.0
    one, two = _grain(one[:, loud]), _grain(two[:, loud])
    # A tone that never changes has no grain, and proves nothing.
    scale = np.sqrt((one * one).mean() * (two * two).mean())
    alike = float((one * two).mean()) / max(float(scale), 1.0)
    return alike - CHANCE / int(loud.sum())


def _loud(levels):
    """Returns True for each frame that is not silent."""
    highest = levels.max(axis=0)
    return highest > highest.max() - SILENT_DB


def _grain(levels):
    """Subtracts the mean of each band, and of each frame."""
    levels = levels - levels.mean(axis=1, keepdims=True)
    return levels - levels.mean(axis=0)
