"""The families of procedural sounds that the demo corpora are made of.

Most families come in groups with nearly the same mean spectrum, so that they
are told apart by the order of their events. The miniature AST was pretrained
on other families (``tools/ast_mini``); the two share no generator.
"""

import numpy as np
from speechbrain_petl.demo.synthesis import (
    Family,
    fade,
    finish,
    log_uniform,
    noise,
    overlay,
    register,
    tone,
)

#: The families the demonstration corpora are made of, by name.
DEMO: dict[str, Family] = {}


def _demo(rng, n_samples, sample_rate, event):
    # Every DEMO sound starts anywhere in the first fifth of its clip and lasts
    # two thirds of it or more: position alone says nothing of the order.
    wave = np.zeros(n_samples)
    start = int(n_samples * rng.uniform(0.0, 0.2))
    overlay(wave, event(int(n_samples * rng.uniform(0.65, 0.8))), start)
    return finish(rng, wave, sample_rate, snr_db=(8.0, 25.0))


def _glide(rng, n_samples, sample_rate, contour):
    def event(n):
        """One sound of n samples."""
        low, ratio = log_uniform(rng, 200, 1200), rng.uniform(1.4, 3.0)
        pitch = low * ratio ** contour(np.linspace(0.0, 1.0, n))
        wave = tone(pitch, n, sample_rate, rng.integers(1, 6), 1.0)
        return wave * fade(n, sample_rate, 0.03)

    return _demo(rng, n_samples, sample_rate, event)


def _pulses(rng, n_samples, sample_rate, times, decay=1.0):
    # ``times`` are fractions of the event; one timbre for all its pulses.
    def event(n):
        """One sound of n samples."""
        length = min(n, int(rng.uniform(0.02, 0.05) * sample_rate))
        center = log_uniform(rng, 400, 4000)
        pulse = noise(
            rng, length, sample_rate, 0.0, (0.6 * center, 1.6 * center)
        )
        pulse *= np.exp(-np.linspace(0.0, 4.0, length))
        wave = np.zeros(n)
        for k, fraction in enumerate(times):
            overlay(wave, pulse * decay**k, int(fraction * (n - length)))
        return wave

    return _demo(rng, n_samples, sample_rate, event)


def _two_tones(rng, n_samples, sample_rate, together):
    def event(n):
        """One sound of n samples."""
        low, ratio = log_uniform(rng, 250, 1200), rng.uniform(2.0, 3.5)
        slots = rng.integers(4, 8)
        high_on = np.linspace(0.0, slots, n, endpoint=False).astype(int) % 2
        low_on = high_on if together else 1 - high_on
        partials = rng.integers(1, 3)
        wave = low_on * tone(low, n, sample_rate, partials)
        wave += high_on * tone(low * ratio, n, sample_rate, partials)
        return wave * fade(n, sample_rate)

    return _demo(rng, n_samples, sample_rate, event)


def _tremolo(rng, n_samples, sample_rate, cycles):
    def event(n):
        """One sound of n samples."""
        pitch = log_uniform(rng, 150, 800)
        wave = tone(pitch, n, sample_rate, rng.integers(3, 10))
        wave /= np.abs(wave).max()
        wave += rng.uniform(0.0, 0.6) * noise(rng, n, sample_rate, 0.5)
        swing = np.cos(np.linspace(0.0, 2 * np.pi * cycles, n))
        depth = rng.uniform(0.75, 0.95)
        return wave * (1 - depth * (0.5 + 0.5 * swing)) * fade(n, sample_rate)

    return _demo(rng, n_samples, sample_rate, event)


def _quickening(rng):
    # Onsets, as fractions, whose gaps shrink from the first to the last.
    gaps = np.geomspace(rng.uniform(6.0, 12.0), 1.0, rng.integers(8, 14))
    return np.concatenate([[0.0], np.cumsum(gaps) / gaps.sum()])


@register(DEMO)
def rising_glide(rng, n_samples, sample_rate):
    """A tone that slides up."""
    return _glide(rng, n_samples, sample_rate, lambda u: u)


@register(DEMO)
def falling_glide(rng, n_samples, sample_rate):
    """A tone that slides down."""
    return _glide(rng, n_samples, sample_rate, lambda u: 1 - u)


@register(DEMO)
def arching_glide(rng, n_samples, sample_rate):
    """A tone that slides up and down again."""
    return _glide(rng, n_samples, sample_rate, lambda u: 1 - np.abs(2 * u - 1))


@register(DEMO)
def quickening_pulses(rng, n_samples, sample_rate):
    """Pulses that follow each other faster and faster."""
    return _pulses(rng, n_samples, sample_rate, _quickening(rng))


@register(DEMO)
def slowing_pulses(rng, n_samples, sample_rate):
    """Pulses that follow each other slower and slower."""
    return _pulses(rng, n_samples, sample_rate, 1 - _quickening(rng)[::-1])


@register(DEMO)
def echoing_pulse(rng, n_samples, sample_rate):
    """A pulse and its regular, weakening echoes."""
    times = np.linspace(0.0, 1.0, rng.integers(6, 12))
    return _pulses(rng, n_samples, sample_rate, times, rng.uniform(0.6, 0.8))


@register(DEMO)
def alternating_tones(rng, n_samples, sample_rate):
    """Two tones that take turns."""
    return _two_tones(rng, n_samples, sample_rate, together=False)


@register(DEMO)
def simultaneous_tones(rng, n_samples, sample_rate):
    """Two tones that sound, and pause, together."""
    return _two_tones(rng, n_samples, sample_rate, together=True)


@register(DEMO)
def slow_tremolo(rng, n_samples, sample_rate):
    """A buzz that swells and fades a few times."""
    return _tremolo(rng, n_samples, sample_rate, rng.uniform(2.5, 5.0))


@register(DEMO)
def fast_tremolo(rng, n_samples, sample_rate):
    """A buzz that swells and fades many times."""
    return _tremolo(rng, n_samples, sample_rate, rng.uniform(9.0, 16.0))


def word(
    rng: np.random.Generator, index: int, n_samples: int, sample_rate: int
) -> np.ndarray:
    """A "word": two DEMO sounds in a row, a different pair for each index.

    Arguments
    ---------
    rng: np.random.Generator
        Source of all chance.
    index: int
        Which word, 0 to 99.
    n_samples: int
        Length.
    sample_rate: int
        Samples a second.

    Returns
    -------
    np.ndarray
        float32 waveform, (n_samples,).

    Example
    -------
    >>> word(np.random.default_rng(0), 7, 8000, 16000).shape
    (8000,)
    """
    if not 0 <= index < len(DEMO) ** 2:
        raise ValueError(f"word {index}: only 0 to {len(DEMO) ** 2 - 1} exist")
    turn, first = divmod(index, len(DEMO))
    families = list(DEMO.values())
    half = n_samples // 2
    start = families[first](rng, half, sample_rate)
    # Each turn through the families shifts the partner by one more: no two
    # indices share a pair.
    second = families[(3 * first + turn + 1) % len(DEMO)]
    return np.concatenate([start, second(rng, n_samples - half, sample_rate)])
