"""Resamples audio of any rate with bounded memory."""

import math
from functools import lru_cache

import numpy as np
import torch
from scipy.signal import resample_poly

from speechbrain.dataio.preprocess import AudioNormalizer

# Largest product of the reduced rates for which a kernel for each phase is
# computed, as torchaudio does: 44100 Hz to 16 kHz is 441 * 160.
MOST_TAPS = 1 << 20
# Outside of these a header is damaged, or the file is no recording of sound.
LOWEST_RATE, HIGHEST_RATE = 1_000, 1_000_000  # Hz


def usable_rate(rate: int) -> bool:
    """Returns True if a sample rate in Hz is one of sound."""
    return LOWEST_RATE <= rate <= HIGHEST_RATE


def normalize(
    audio: np.ndarray, rate: int, normalizer: AudioNormalizer
) -> torch.Tensor:
    """Resamples audio and averages its channels.

    Rates that have a large common factor with the wanted one go through
    ``normalizer`` (torchaudio), which holds a kernel for each phase: of
    44101 Hz these are 5 GB. For such rates the same filter is applied in its
    polyphase form by SciPy, with at most 0.4 GB; results agree within 2e-5 of
    full scale.

    Arguments
    ---------
    audio : numpy.ndarray
        Samples [time, channels], float32.
    rate : int
        Their sample rate in Hz.
    normalizer : AudioNormalizer
        Has the wanted sample rate.

    Returns
    -------
    torch.Tensor
        Waveform [time].

    Example
    -------
    >>> audio = np.zeros((44101, 2), dtype=np.float32)
    >>> normalize(audio, 44101, AudioNormalizer(16000)).shape
    torch.Size([16000])
    """
    wanted = normalizer.sample_rate
    common = math.gcd(rate, wanted)
    down, up = rate // common, wanted // common
    if rate != wanted and down * up > MOST_TAPS:
        taps = lowpass(down, up)
        audio = resample_poly(audio, up, down, axis=0, window=taps)
        rate = wanted
    return normalizer(torch.from_numpy(audio), rate)


@lru_cache(maxsize=2)  # one is up to 50 MB
def lowpass(
    down: int, up: int, zeros: int = 6, rolloff: float = 0.99
) -> np.ndarray:
    """Returns torchaudio's resampling filter, sampled at ``up`` times the rate.

    A sinc of the lower of both Nyquist frequencies times ``rolloff``, in a
    Hann window.

    Arguments
    ---------
    down : int
        Original rate, divided by the common factor.
    up : int
        New rate, divided by the common factor.
    zeros : int
        Number of zero crossings on each side.
    rolloff : float
        Cut-off frequency as a fraction of the Nyquist frequency.

    Returns
    -------
    numpy.ndarray
        Taps, an odd number, float32.

    Example
    -------
    >>> taps = lowpass(3, 1)
    >>> len(taps), round(float(taps.sum()), 2)
    (37, 1.0)
    """
    cutoff = min(down, up) * rolloff
    half = math.floor(zeros * down * up / cutoff)
    time = np.arange(-half, half + 1) * (cutoff / (down * up))
    taps = np.sinc(time)
    time *= math.pi / zeros / 2
    taps *= np.cos(time, out=time) ** 2
    taps *= cutoff / (down * up)
    return taps.astype(np.float32)
