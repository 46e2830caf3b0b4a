"""Sounds with a pitch that the miniature AST is pretrained on."""

import numpy as np
from speechbrain_petl.demo.synthesis import (
    Family,
    in_room,
    log_uniform,
    ping,
    repeat,
    slow,
    tone,
)

#: Families by name.
TONES: dict[str, Family] = {}


def _vowel(rng, n, sr, formants):
    # Harmonics under resonances; ``formants`` are numbers or moving arrays.
    pitch = log_uniform(rng, 80, 300)
    pitch = pitch * (1 + 0.02 * np.sin(np.linspace(0, rng.uniform(5, 40), n)))
    phase = 2 * np.pi * np.cumsum(pitch) / sr
    wave = np.zeros(n)
    for k in range(1, int(4000 / pitch.max())):
        gain = sum(1 / (1 + ((k * pitch - f) / 90) ** 2) for f in formants)
        wave += gain * np.sin(k * phase)
    return wave


@in_room(TONES)
def pure_tone(rng, n, sr):
    """One sine."""
    return tone(log_uniform(rng, 100, 6000), n, sr)


@in_room(TONES)
def harmonic_stack(rng, n, sr):
    """A bright harmonic tone."""
    pitch = log_uniform(rng, 80, 600)
    return tone(pitch, n, sr, rng.integers(6, 20), rng.uniform(0.2, 1.0))


@in_room(TONES)
def odd_harmonics(rng, n, sr):
    """A hollow, square-like tone."""
    return np.tanh(5 * tone(log_uniform(rng, 80, 800), n, sr))


@in_room(TONES)
def inharmonic_cluster(rng, n, sr):
    """Unrelated steady sines."""
    count = rng.integers(4, 10)
    return sum(tone(log_uniform(rng, 150, 5000), n, sr) for _ in range(count))


@in_room(TONES)
def beating_pair(rng, n, sr):
    """Two sines a few Hz apart."""
    low = log_uniform(rng, 200, 3000)
    return tone(low, n, sr) + tone(low + rng.uniform(2, 8), n, sr)


@in_room(TONES)
def chord(rng, n, sr):
    """A major or minor triad."""
    root, third = log_uniform(rng, 120, 700), rng.choice([3, 4])
    steps = (0, third, 7)
    return sum(tone(root * 2 ** (s / 12), n, sr, 4) for s in steps)


@in_room(TONES)
def fm_bell(rng, n, sr):
    """Frequency modulation with a dying index."""
    carrier, ratio = log_uniform(rng, 200, 1500), rng.uniform(1.1, 3.7)
    decay = np.exp(-np.linspace(0, rng.uniform(3, 8), n))
    index = rng.uniform(1, 5) * decay * carrier
    return decay * tone(carrier + index * tone(carrier * ratio, n, sr), n, sr)


@in_room(TONES)
def fm_growl(rng, n, sr):
    """Frequency modulation in the audible roughness range."""
    carrier = log_uniform(rng, 200, 2000)
    swing = 0.4 * carrier * tone(rng.uniform(25, 90), n, sr)
    return tone(carrier + swing, n, sr)


@in_room(TONES)
def vibrato(rng, n, sr):
    """A harmonic tone with a small, quick pitch swing."""
    swing = 1 + rng.uniform(0.02, 0.06) * tone(rng.uniform(4, 9), n, sr)
    return tone(log_uniform(rng, 150, 1200) * swing, n, sr, 5)


@in_room(TONES)
def siren(rng, n, sr):
    """A wide, slow, sinusoidal pitch swing."""
    phase = np.sin(np.linspace(0, rng.uniform(8, 20), n) + rng.uniform(0, 6))
    return tone(log_uniform(rng, 400, 1500) * 1.6**phase, n, sr, 3)


@in_room(TONES)
def whoops(rng, n, sr):
    """Short upward sweeps, repeated."""
    rate, low = rng.uniform(3, 8), log_uniform(rng, 200, 1500)
    phase = (np.arange(n) / sr * rate + rng.uniform()) % 1.0
    return tone(low * rng.uniform(1.5, 4) ** phase, n, sr, 2)


@in_room(TONES)
def lasers(rng, n, sr):
    """Short downward sweeps, repeated."""
    rate, low = rng.uniform(3, 8), log_uniform(rng, 200, 1500)
    phase = (np.arange(n) / sr * rate + rng.uniform()) % 1.0
    return tone(low * rng.uniform(1.5, 4) ** (1 - phase), n, sr, 2)


@in_room(TONES)
def ring_modulation(rng, n, sr):
    """A sine multiplied by another."""
    return tone(log_uniform(rng, 400, 4000), n, sr) * tone(
        rng.uniform(40, 300), n, sr
    )


@in_room(TONES)
def random_melody(rng, n, sr):
    """Steps between random pitches."""
    steps = rng.uniform(0, 24, int(rng.uniform(5, 14)))
    held = steps[np.linspace(0, len(steps), n, endpoint=False).astype(int)]
    return tone(log_uniform(rng, 150, 600) * 2 ** (held / 12), n, sr, 3)


def _arpeggio(rng, n, sr, direction):
    length = int(rng.uniform(0.06, 0.15) * sr)
    step = (np.arange(n) // length) % rng.integers(4, 8)
    pitch = log_uniform(rng, 300, 800) * 2 ** (direction * step / 4)
    return tone(pitch, n, sr, 3)


@in_room(TONES)
def arpeggio_up(rng, n, sr):
    """A broken chord upwards, over and over."""
    return _arpeggio(rng, n, sr, 1)


@in_room(TONES)
def arpeggio_down(rng, n, sr):
    """A broken chord downwards, over and over."""
    return _arpeggio(rng, n, sr, -1)


@in_room(TONES)
def plucked_string(rng, n, sr):
    """Karplus-Strong, plucked two or three times."""
    period = int(sr / log_uniform(rng, 80, 500))
    rows = [rng.uniform(-1, 1, period)]
    for _ in range(n // period):
        rows.append(0.497 * (rows[-1] + np.roll(rows[-1], 1)))
    string = np.concatenate(rows)[:n]
    return repeat(rng, n, sr, rng.uniform(1.5, 3), lambda k: string)


@in_room(TONES)
def struck_bars(rng, n, sr):
    """Inharmonic decaying strokes."""

    def stroke(k):
        """The ringing of one bar."""
        low = log_uniform(rng, 300, 1500)
        return sum(ping(rng, sr, low * r, 0.4) for r in (1, 2.76, 5.4))

    return repeat(rng, n, sr, rng.uniform(2, 5), stroke, 0.2)


@in_room(TONES)
def vowel_open(rng, n, sr):
    """A held open vowel."""
    scale = rng.uniform(0.85, 1.2)
    return _vowel(rng, n, sr, (750 * scale, 1200 * scale, 2600))


@in_room(TONES)
def vowel_close(rng, n, sr):
    """A held close vowel."""
    scale = rng.uniform(0.85, 1.2)
    return _vowel(rng, n, sr, (300 * scale, 2200 * scale, 3000))


@in_room(TONES)
def diphthongs(rng, n, sr):
    """A voice that wanders between vowels."""
    first, second = slow(rng, n, 4, sr), slow(rng, n, 4, sr)
    return _vowel(rng, n, sr, (250 + 600 * first, 900 + 1500 * second))
