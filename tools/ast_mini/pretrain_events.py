"""Noises and rhythms that the miniature AST is pretrained on."""

import numpy as np
from speechbrain_petl.demo.synthesis import (
    Family,
    burst,
    fade,
    in_room,
    log_uniform,
    noise,
    overlay,
    ping,
    repeat,
    scatter,
    slow,
    tone,
)

#: Families by name.
EVENTS: dict[str, Family] = {}


def _swept_noise(rng, n, sr, path):
    # A narrow noise moved along ``path`` (Hz) by multiplication with a tone.
    width = log_uniform(rng, 60, 400)
    return noise(rng, n, sr, 0.0, (1.0, width)) * tone(path, n, sr)


@in_room(EVENTS)
def white_noise(rng, n, sr):
    """Flat noise."""
    return noise(rng, n, sr)


@in_room(EVENTS)
def pink_noise(rng, n, sr):
    """Noise falling 3 dB an octave."""
    return noise(rng, n, sr, 0.5)


@in_room(EVENTS)
def brown_noise(rng, n, sr):
    """Noise falling 6 dB an octave or more."""
    return noise(rng, n, sr, rng.uniform(1.0, 1.5))


@in_room(EVENTS)
def band_noise(rng, n, sr):
    """Noise in one band."""
    low = log_uniform(rng, 100, 4000)
    return noise(rng, n, sr, 0.0, (low, low * rng.uniform(1.2, 2)))


@in_room(EVENTS)
def noise_upwards(rng, n, sr):
    """A noise band that climbs, two or more times."""
    turns = rng.uniform(1.5, 4)
    phase = (np.linspace(0, turns, n) + rng.uniform()) % 1
    return _swept_noise(rng, n, sr, log_uniform(rng, 300, 1000) * 5**phase)


@in_room(EVENTS)
def noise_downwards(rng, n, sr):
    """A noise band that sinks, two or more times."""
    turns = rng.uniform(1.5, 4)
    phase = (np.linspace(0, turns, n) + rng.uniform()) % 1
    return _swept_noise(rng, n, sr, log_uniform(rng, 1500, 5000) * 0.2**phase)


@in_room(EVENTS)
def noise_wander(rng, n, sr):
    """A noise band that wanders."""
    return _swept_noise(rng, n, sr, 300 * 12 ** slow(rng, n, 5, sr))


@in_room(EVENTS)
def wind(rng, n, sr):
    """Low noise with slow gusts."""
    return noise(rng, n, sr, 0.7, (50, 1500)) * slow(rng, n, 3, sr) ** 2


@in_room(EVENTS)
def stutter(rng, n, sr):
    """Noise switched on and off at random."""
    gate = rng.uniform(size=int(rng.uniform(8, 30))) > 0.5
    held = gate[np.linspace(0, len(gate), n, endpoint=False).astype(int)]
    return noise(rng, n, sr, rng.uniform(0, 1)) * (held + 1e-3)


@in_room(EVENTS)
def rain(rng, n, sr):
    """Many faint clicks."""
    drop = burst(rng, sr, 0.006, (1000, 1e9))
    return scatter(rng, n, sr, rng.uniform(80, 250), lambda: drop)


@in_room(EVENTS)
def crackle(rng, n, sr):
    """Few clicks of uneven strength."""
    click = burst(rng, sr, 0.003)
    gain = lambda: rng.exponential()  # noqa: E731
    return scatter(rng, n, sr, rng.uniform(8, 30), lambda: click * gain())


@in_room(EVENTS)
def hits(rng, n, sr):
    """Noise strokes that decay."""
    length, rate = rng.uniform(0.1, 0.25), rng.uniform(2, 5)
    return repeat(rng, n, sr, rate, lambda k: burst(rng, sr, length), 0.1)


@in_room(EVENTS)
def reversed_hits(rng, n, sr):
    """Noise strokes that grow and stop short."""
    length, rate = rng.uniform(0.1, 0.25), rng.uniform(2, 5)
    event = lambda k: burst(rng, sr, length, rising=True)  # noqa: E731
    return repeat(rng, n, sr, rate, event, 0.1)


@in_room(EVENTS)
def clicks(rng, n, sr):
    """A steady train of clicks."""
    click = burst(rng, sr, 0.008, (log_uniform(rng, 300, 3000), 1e9))
    return repeat(rng, n, sr, rng.uniform(5, 16), lambda k: click)


@in_room(EVENTS)
def buzz(rng, n, sr):
    """Clicks so dense that they have a pitch."""
    return repeat(rng, n, sr, rng.uniform(30, 90), lambda k: np.ones(2))


@in_room(EVENTS)
def gallop(rng, n, sr):
    """Short, short, long."""
    click = burst(rng, sr, 0.03, (300, 3000))
    rate = rng.uniform(8, 14)
    return repeat(rng, n, sr, rate, lambda k: click * (k % 4 not in (0, 3)))


@in_room(EVENTS)
def accents(rng, n, sr):
    """A steady beat with every third or fourth stroke strong."""
    click, every = burst(rng, sr, 0.04), rng.integers(3, 5)
    gain = lambda k: 1.0 if k % every == 0 else 0.25  # noqa: E731
    return repeat(rng, n, sr, rng.uniform(5, 10), lambda k: click * gain(k))


@in_room(EVENTS)
def heartbeat(rng, n, sr):
    """Pairs of low thumps."""
    low = rng.uniform(60, 120)
    thump = ping(rng, sr, low, 0.12)
    pair = np.zeros(int(0.35 * sr))
    overlay(pair, thump, 0)
    overlay(pair, 0.6 * thump, int(rng.uniform(0.14, 0.2) * sr))
    return repeat(rng, n, sr, rng.uniform(1.5, 2.2), lambda k: pair)


@in_room(EVENTS)
def ticking(rng, n, sr):
    """Tick and tock: two timbres in turn."""
    low = log_uniform(rng, 400, 1500)
    sides = [ping(rng, sr, low, 0.04), burst(rng, sr, 0.03, (2000, 1e9))]
    return repeat(rng, n, sr, rng.uniform(3, 8), lambda k: sides[k % 2])


@in_room(EVENTS)
def bubbles(rng, n, sr):
    """Random short sines that curl upwards."""

    def bubble():
        """One of them."""
        length = int(rng.uniform(0.03, 0.1) * sr)
        pitch = log_uniform(rng, 300, 1500) * np.linspace(1, 2, length) ** 2
        return tone(pitch, length, sr) * fade(length, sr, 0.02)

    return scatter(rng, n, sr, rng.uniform(6, 20), bubble)


@in_room(EVENTS)
def drips(rng, n, sr):
    """Random short decaying sines."""
    pitch = lambda: log_uniform(rng, 800, 4000)  # noqa: E731
    return scatter(
        rng, n, sr, rng.uniform(4, 15), lambda: ping(rng, sr, pitch(), 0.08)
    )


@in_room(EVENTS)
def crickets(rng, n, sr):
    """A high tone in quick groups."""
    pulse = np.maximum(0, tone(rng.uniform(25, 45), n, sr))
    group = tone(rng.uniform(2, 5), n, sr) > 0
    return tone(rng.uniform(3000, 6000), n, sr) * pulse * group


@in_room(EVENTS)
def call_and_answer(rng, n, sr):
    """A tone, then noise, again and again."""
    length = int(rng.uniform(0.12, 0.3) * sr)
    voice = (np.arange(n) // length) % 2
    hiss = 0.6 * noise(rng, n, sr, 0.3)
    return np.where(voice, tone(log_uniform(rng, 200, 1500), n, sr, 4), hiss)
