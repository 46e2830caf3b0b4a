"""Who speaks in the procedural corpora, and how they say a word."""

import numpy as np
from speechbrain_petl.demo.sounds import word


def hexadecimal(rng: np.random.Generator, digits: int) -> str:
    """Draws a name of so many hexadecimal digits."""
    return rng.bytes(digits // 2).hex()


def make_speakers(
    seed: int, count: int, digits: int
) -> list[tuple[str, float]]:
    """Draws speakers.

    A speaker is a name and a color: the weight of a one-tap echo, which tilts
    the spectrum of all that the speaker says.

    Arguments
    ---------
    seed : int
        Same seed, same speakers.
    count : int
        Number of speakers, at least 3.
    digits : int
        Length of their names.

    Returns
    -------
    list of (str, float)

    Example
    -------
    >>> [len(name) for name, color in make_speakers(0, 3, 8)]
    [8, 8, 8]
    """
    if count < 3:
        raise ValueError(f"{count} speakers: three splits need three or more")
    rngs = [np.random.default_rng([seed, 999, k]) for k in range(count)]
    return [(hexadecimal(g, digits), g.uniform(-0.6, 0.6)) for g in rngs]


def say(
    rng: np.random.Generator,
    words: list[int],
    color: float,
    n_samples: int,
    sample_rate: int,
) -> np.ndarray:
    """Says words one after the other.

    Arguments
    ---------
    rng : np.random.Generator
        Source of all chance.
    words : list of int
        Indices of the words, see ``sounds.word``.
    color : float
        The speaker's, -1 to 1.
    n_samples : int
        Length.
    sample_rate : int
        Samples a second.

    Returns
    -------
    np.ndarray
        Waveform within [-0.9, 0.9], (n_samples,).

    Example
    -------
    >>> say(np.random.default_rng(0), [3, 4], 0.5, 4000, 16000).shape
    (4000,)
    """
    edges = np.linspace(0, n_samples, len(words) + 1).astype(int)
    wave = np.concatenate(
        [
            word(rng, index, end - start, sample_rate)
            for index, start, end in zip(words, edges, edges[1:])
        ]
    )
    wave[1:] += color * wave[:-1]
    return 0.9 * wave / max(1.0, np.abs(wave).max())
