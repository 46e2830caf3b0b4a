"""A corpus of speakers to be verified: the layout of VoxCeleb1."""

import random
from itertools import combinations
from pathlib import Path

import numpy as np
from speechbrain_petl.demo.folders import whole_folder, write_wav
from speechbrain_petl.demo.voices import hexadecimal, say

FIRST, FIRST_TESTED = 10001, 10270  # numbers of speakers, as in the original


def write_voxceleb(
    folder: str | Path,
    speakers: int = 12,
    test_speakers: int = 4,
    videos: int = 2,
    utterances: int = 3,
    seconds: float = 2.0,
    sample_rate: int = 16000,
    seed: int = 1986,
) -> Path:
    """Writes a corpus in the layout of VoxCeleb1.

    A speaker is a color, an echo that tilts the spectrum, and a favorite
    "word", said beside others. The cleaned list is the original one without
    its last trial.

    Arguments
    ---------
    folder: str or Path
        Where to: a new or empty folder, or one that was written here before.
    speakers: int
        Number of speakers that are not tested, at most 100.
    test_speakers: int
        Number of those that are: 2 to 40.
    videos: int
        Number of videos of a speaker.
    utterances: int
        Number of utterances in a video.
    seconds: float
        Length of the longest utterances.
    sample_rate: int
        Samples a second.
    seed: int
        Same seed, same corpus.

    Returns
    -------
    Path
        The folder, with ``wav/<speaker>/<video>/<utterance>.wav``,
        ``veri_test.txt`` and ``veri_test2.txt``.
    """
    if not 1 <= speakers <= 100 or not 2 <= test_speakers <= 40:
        raise ValueError(
            f"{speakers} speakers, {test_speakers} tested: there are 1 to 100 "
            "and 2 to 40"
        )
    tested: list[tuple[str, str]] = []
    numbers = [FIRST + k for k in range(speakers)]
    numbers += [FIRST_TESTED + k for k in range(test_speakers)]
    with whole_folder(folder, layout="voxceleb", seed=seed) as new:
        for number in numbers:
            voice = np.random.default_rng([seed, number])
            color, favorite = voice.uniform(-0.8, 0.8), voice.integers(100)
            for video in range(videos):
                name = hexadecimal(voice, 12)[:11]
                for k in range(1, utterances + 1):
                    rng = np.random.default_rng([seed, number, video, k])
                    words = [int(favorite), int(rng.integers(100))]
                    length = seconds * rng.uniform(0.7, 1)
                    n_samples = int(length * sample_rate)
                    wave = say(rng, words, color, n_samples, sample_rate)
                    file = f"id{number}/{name}/{k:05}.wav"
                    write_wav(new / "wav" / file, wave, sample_rate)
                    if number >= FIRST_TESTED:
                        tested.append((f"id{number}", file))
        lines = list_trials(tested, seed)
        for name, some in (("", lines), ("2", lines[:-1])):
            (new / f"veri_test{name}.txt").write_text("".join(some))
    return Path(folder)


def list_trials(files: list[tuple[str, str]], seed: int) -> list[str]:
    """Lists every target trial, and as many others.

    Arguments
    ---------
    files : list of (str, str)
        Speaker and file of each utterance.
    seed : int
        Which of the others.

    Returns
    -------
    list of str
        Lines such as ``1 id10270/x/00001.wav id10270/y/00002.wav``.
    """
    pairs: dict[bool, list[str]] = {True: [], False: []}
    for (one, first), (other, second) in combinations(files, 2):
        target = one == other
        pairs[target].append(f"{int(target)} {first} {second}\n")
    chance = random.Random(seed)
    count = min(len(pairs[True]), len(pairs[False]))
    others = chance.sample(pairs[False], count)
    return [line for both in zip(pairs[True], others) for line in both]
