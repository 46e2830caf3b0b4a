#!/usr/bin/env python3
"""Measures which copies of real clips are found, and what else is.

Clips of a folder are compressed, cut, made softer, noisier and so on; then all
clips and copies are searched together, as the data preparation does it.

> python tools/measure_copies.py /path/to/ESC-50/audio --group '-(\\d+)-'
"""

import argparse
import random
import re
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from speechbrain_petl.dataio.folder import audio_files
from speechbrain_petl.dataio.resampling import normalize
from speechbrain_petl.dataio.sounds import Sound
from speechbrain_petl.dataio.survey import Survey

from speechbrain.dataio.preprocess import AudioNormalizer


def cut(wave, generator):
    """Leaves out between 1 % and 25 % at the front."""
    return wave[int(generator.uniform(0.01, 0.25) * len(wave)) :]


def half(wave, generator):
    """Keeps half of a clip, from anywhere."""
    first = int(generator.uniform(0, 0.5) * len(wave))
    return wave[first : first + len(wave) // 2]


def in_noise(db):
    """Returns a function that adds white noise so many dB below."""

    def add(wave, generator):
        """Adds noise."""
        level = np.sqrt((wave**2).mean()) * 10 ** (-db / 20)
        return wave + level * generator.normal(size=len(wave))

    return add


def soft(wave, generator):
    """Lowers the level by 3 to 20 dB."""
    return wave * 10 ** (-generator.uniform(3, 20) / 20)


def cut_and_soft(wave, generator):
    """Does both."""
    return soft(cut(wave, generator), generator)


# Kind of copy: what happens to the waveform, the format, its options, the rate
COPIES = {
    "softer by 3 to 20 dB": (soft, "wav", {}, None),
    "cut at the front by 1 to 25 %": (cut, "wav", {}, None),
    "half of the clip": (half, "wav", {}, None),
    "mp3, middling": (None, "mp3", {"compression_level": 0.3}, None),
    "mp3, lowest": (None, "mp3", {"compression_level": 0.9}, None),
    "ogg, lowest": (None, "ogg", {"compression_level": 0.9}, None),
    "8 bits": (None, "wav", {"subtype": "PCM_U8"}, None),
    "at 8 kHz": (None, "wav", {}, 8000),
    "in noise 30 dB below": (in_noise(30), "wav", {}, None),
    "in noise 20 dB below": (in_noise(20), "wav", {}, None),
    "cut, softer and mp3, lowest": (
        cut_and_soft,
        "mp3",
        {"compression_level": 0.9},
        None,
    ),
}


def write_copy(kind, clip, target, generator):
    """Writes a copy of a clip.

    Arguments
    ---------
    kind : str
        A key of ``COPIES``.
    clip : Path
        The clip.
    target : Path
        The copy, without the ending of its name.
    generator : numpy.random.Generator
        Draws what a copy leaves to chance.

    Returns
    -------
    Path
    """
    change, ending, options, other = COPIES[kind]
    wave, rate = soundfile.read(clip, dtype="float32", always_2d=True)
    wave = wave.mean(axis=1)
    if change is not None:
        wave = np.clip(change(wave, generator), -1, 1)
    if other is not None:
        there = AudioNormalizer(other)
        wave, rate = normalize(wave[:, None], rate, there).numpy(), other
    copy = target.with_suffix(f".{ending}")
    soundfile.write(copy, wave, rate, **options)
    return copy


def alike(paths):
    """Returns the pairs of files that are alike, and their similarity."""
    survey = Survey("/", [Sound(str(path), ("",)) for path in paths])
    return {
        (paths[match.first], paths[match.second]): match.similarity
        for match in survey.matches()
    }


def main():
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="of audio files")
    parser.add_argument("--clips", type=int, default=150, help="to copy")
    parser.add_argument(
        "--group",
        help="regular expression: names in which it matches the same may have "
        "the same sound",
    )
    options = parser.parse_args()
    root = options.folder.resolve()
    clips = sorted(root / name for name in audio_files(root))

    def group(path):
        """Returns what a clip shares with those of its group."""
        match = re.search(options.group, path.name) if options.group else None
        return match and match.groups()

    known = alike(clips)
    strange = [
        (first, second)
        for first, second in known
        if group(first) is None or group(first) != group(second)
    ]
    print(
        f"{len(clips)} clips: {len(known)} pairs are alike, {len(strange)} of "
        "them not of one group"
    )
    for first, second in strange:
        print(f"  {first.name} {second.name} {known[first, second]:.2f}")

    drawn = random.Random(0).sample(clips, min(options.clips, len(clips)))
    generator, wrong = np.random.default_rng(0), set()
    for kind in COPIES:
        with tempfile.TemporaryDirectory() as folder:
            copies = {
                write_copy(kind, clip, Path(folder) / str(i), generator): clip
                for i, clip in enumerate(drawn)
            }
            found = alike([*drawn, *copies])
        own = 0
        for first, second in found:
            pair = (copies.get(first, first), copies.get(second, second))
            if first not in copies and pair[0] == pair[1]:
                own += 1
            elif pair[0] != pair[1]:
                wrong.add(tuple(sorted(pair)))
        print(f"| {kind} | {own / len(drawn):.1%} |", flush=True)
    wrong -= {tuple(sorted(pair)) for pair in known}
    print(f"{len(wrong)} further pairs of clips through a copy of one of them")
    for first, second in wrong:
        print(f"  {first.name} {second.name}")


if __name__ == "__main__":
    main()
