"""Building blocks of the procedural sounds.

A family of sounds is a function ``family(rng, n_samples, sample_rate)`` that
draws its parameters (pitch, rate, onset, level, noise floor, room) from ``rng``
and returns a float32 waveform within [-1, 1].
"""

from collections.abc import Callable

import numpy as np

Family = Callable[[np.random.Generator, int, int], np.ndarray]


def register(registry: dict[str, Family]) -> Callable[[Family], Family]:
    """Decorator that files a family under its function's name."""

    def add(family: Family) -> Family:
        if family.__name__ in registry:
            raise ValueError(f"two families are called {family.__name__}")
        registry[family.__name__] = family
        return family

    return add


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draws uniformly on a logarithmic axis, as pitch and rate are heard."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def tone(
    frequency: float | np.ndarray,
    n_samples: int,
    sample_rate: int,
    partials: int = 1,
    tilt: float = 1.0,
) -> np.ndarray:
    """A harmonic tone of constant or moving frequency.

    Arguments
    ---------
    frequency: float or np.ndarray
        Fundamental in Hz: one number, or one for each sample.
    n_samples: int
        Length.
    sample_rate: int
        Samples a second.
    partials: int
        Number of harmonics; those above the Nyquist frequency are silent.
    tilt: float
        The k-th harmonic has the amplitude ``k ** -tilt``.

    Returns
    -------
    np.ndarray
        The waveform, (n_samples,).

    Example
    -------
    >>> tone(440.0, 1600, 16000, partials=3).shape
    (1600,)
    """
    frequency = np.broadcast_to(frequency, (n_samples,))
    phase = 2 * np.pi * np.cumsum(frequency) / sample_rate
    wave = np.zeros(n_samples)
    for k in range(1, partials + 1):
        audible = k * frequency < 0.47 * sample_rate
        wave += audible * k**-tilt * np.sin(k * phase)
    return wave


def noise(
    rng: np.random.Generator,
    n_samples: int,
    sample_rate: int,
    slope: float = 0.0,
    band: tuple[float, float] = (20.0, 1e9),
) -> np.ndarray:
    """Noise whose amplitude falls with ``f ** -slope`` inside ``band`` (Hz)."""
    frequency = np.fft.rfftfreq(n_samples, 1 / sample_rate)
    inside = (frequency >= band[0]) & (frequency <= band[1])
    shape = inside * np.maximum(frequency, 20.0) ** -slope
    wave = np.fft.irfft(
        np.fft.rfft(rng.normal(size=n_samples)) * shape, n_samples
    )
    return wave / max(np.abs(wave).max(), 1e-9)


def fade(n_samples: int, sample_rate: int, seconds: float = 0.01) -> np.ndarray:
    """An envelope that is 1 but for short ramps at both ends."""
    ramp = max(1, min(int(seconds * sample_rate), n_samples // 2))
    position = np.arange(n_samples)
    return np.minimum(1.0, np.minimum(position, position[::-1]) / ramp)


def overlay(wave: np.ndarray, event: np.ndarray, start: int) -> None:
    """Adds ``event`` to ``wave`` in place from ``start``; what juts out is cut."""
    event = event[: max(0, len(wave) - start)]
    wave[start : start + len(event)] += event


def finish(
    rng: np.random.Generator,
    wave: np.ndarray,
    sample_rate: int,
    snr_db: tuple[float, float] = (5.0, 30.0),
) -> np.ndarray:
    """Puts a sound into a room, over a noise floor, at some level.

    Arguments
    ---------
    rng: np.random.Generator
        Source of all chance.
    wave: np.ndarray
        The dry sound.
    sample_rate: int
        Samples a second.
    snr_db: tuple
        Range of the signal-to-noise ratio in decibels.

    Returns
    -------
    np.ndarray
        float32, of the same length, within [-1, 1].
    """
    n_samples = len(wave)
    length = min(n_samples, int(0.25 * sample_rate))
    time = np.arange(length) / sample_rate
    room = rng.normal(size=length) * np.exp(-time / rng.uniform(0.01, 0.06))
    room *= rng.uniform(0.0, 0.5) / np.sqrt(np.sum(room**2) + 1e-12)
    room[0] = 1.0
    # Convolved at a power of two, where the transform is fast.
    size = 1 << (n_samples + length).bit_length()
    spectrum = np.fft.rfft(wave, size) * np.fft.rfft(room, size)
    wave = np.fft.irfft(spectrum, size)[:n_samples]
    wave /= np.abs(wave).max() + 1e-9
    floor = noise(rng, n_samples, sample_rate, rng.uniform(-0.2, 1.0))
    gain = np.sqrt(np.mean(wave**2) / (np.mean(floor**2) + 1e-12))
    wave = wave + floor * gain * 10 ** (-rng.uniform(*snr_db) / 20)
    level = 10 ** (rng.uniform(-20.0, -1.0) / 20)
    return (level * wave / (np.abs(wave).max() + 1e-9)).astype(np.float32)


def repeat(rng, n, sr, rate, event, jitter=0.0):
    """Lays ``event(k)`` at ``rate`` a second, with relative jitter."""
    wave, at, k = np.zeros(n), rng.uniform(0.0, 1.0 / rate), 0
    while at * sr < n:
        overlay(wave, event(k), int(at * sr))
        at += max(0.2, 1.0 + jitter * rng.normal()) / rate
        k += 1
    return wave


def scatter(rng, n, sr, rate, event):
    """Lays ``event()`` at random moments, ``rate`` a second on average."""
    wave = np.zeros(n)
    for start in rng.integers(0, n, max(1, rng.poisson(rate * n / sr))):
        overlay(wave, event(), start)
    return wave


def ping(rng, sr, frequency, seconds):
    """A short decaying tone."""
    n = max(8, int(seconds * sr))
    return tone(frequency, n, sr) * np.exp(-np.linspace(0.0, 5.0, n))


def burst(rng, sr, seconds, band=(20.0, 1e9), rising=False):
    """A short noise whose envelope decays, or rises."""
    n = max(8, int(seconds * sr))
    envelope = np.exp(-np.linspace(0.0, 5.0, n))
    return noise(rng, n, sr, 0.0, band) * (
        envelope[::-1] if rising else envelope
    )


def slow(rng, n, rate, sr):
    """A random curve in [0, 1] with about ``rate`` turns a second."""
    knots = rng.uniform(size=max(3, int(rate * n / sr) + 2))
    return np.interp(
        np.linspace(0, len(knots) - 1, n), range(len(knots)), knots
    )


def in_room(registry: dict[str, Family]) -> Callable[[Family], Family]:
    """Decorator: files a generator of dry sounds, finished, as a family."""

    def add(generator: Family) -> Family:
        def family(rng, n_samples, sample_rate):
            """Generates a wave and puts it into a room."""
            wave = generator(rng, n_samples, sample_rate)
            return finish(rng, wave, sample_rate)

        family.__name__ = generator.__name__
        family.__doc__ = generator.__doc__
        return register(registry)(family)

    return add
