"""Corpora of "speech": layouts of Speech Commands, Fluent Speech Commands."""

from pathlib import Path

import numpy as np
from speechbrain_petl.demo.folders import whole_folder, write_csv, write_wav
from speechbrain_petl.demo.synthesis import noise
from speechbrain_petl.demo.vocabulary import COMMANDS, INTENTS, transcribe
from speechbrain_petl.demo.voices import hexadecimal, make_speakers, say


def _split(index: int, count: int) -> str:
    # The last fifth of the speakers test, the fifth before it validates.
    share = max(1, count // 5)
    if index >= count - share:
        return "test"
    return "valid" if index >= count - 2 * share else "train"


def write_speech_commands(
    folder: str | Path,
    words: int = 10,
    speakers: int = 10,
    takes: int = 2,
    sample_rate: int = 16000,
    seed: int = 1986,
) -> Path:
    """Writes a corpus in the layout of Speech Commands v0.02.

    A "word" is a pair of DEMO sounds; the files carry the original's words.
    Clips last a second; one in eight is shorter, as in the original.

    Arguments
    ---------
    folder: str or Path
        Where to: a new or empty folder, or one that was written here before.
    words: int
        Number of words, at most 35.
    speakers: int
        Number of speakers, at least 3; the last fifth is the test set, the
        fifth before it the validation set.
    takes: int
        How often a speaker says a word.
    sample_rate: int
        Samples a second.
    seed: int
        Same seed, same corpus.

    Returns
    -------
    Path
        The folder, with a folder for each word, ``validation_list.txt``,
        ``testing_list.txt`` and ``_background_noise_/``.
    """
    if not 1 <= words <= len(COMMANDS):
        raise ValueError(f"{words} words: there are 1 to {len(COMMANDS)}")
    lists: dict[str, list[str]] = {"train": [], "valid": [], "test": []}
    voices = make_speakers(seed, speakers, 8)
    with whole_folder(folder, layout="speech_commands", seed=seed) as new:
        for index, label in enumerate(COMMANDS[:words]):
            for who, (speaker, color) in enumerate(voices):
                for take in range(takes):
                    rng = np.random.default_rng([seed, index, who, take])
                    shorter = (index + who + take) % 8 == 7
                    length = rng.uniform(0.6, 0.95) if shorter else 1.0
                    n_samples = int(length * sample_rate)
                    wave = say(rng, [index], color, n_samples, sample_rate)
                    name = f"{label}/{speaker}_nohash_{take}.wav"
                    write_wav(new / name, wave, sample_rate)
                    lists[_split(who, speakers)].append(name)
        for name, part in (("validation", "valid"), ("testing", "test")):
            text = "".join(f"{line}\n" for line in lists[part])
            (new / f"{name}_list.txt").write_text(text)
        for name, slope in (("white_noise", 0.0), ("pink_noise", 0.5)):
            rng = np.random.default_rng([seed, int(10 * slope)])
            wave = 0.3 * noise(rng, 4 * sample_rate, sample_rate, slope)
            path = new / "_background_noise_" / f"{name}.wav"
            write_wav(path, wave, sample_rate)
    return Path(folder)


def write_fluent_speech_commands(
    folder: str | Path,
    intents: int = 31,
    speakers: int = 10,
    takes: int = 1,
    seconds: float = 2.4,
    sample_rate: int = 16000,
    seed: int = 1986,
) -> Path:
    """Writes a corpus in the layout of Fluent Speech Commands.

    An utterance is three "words" in a row, for action, object and location,
    so that all of them are needed to tell the intent.

    Arguments
    ---------
    folder: str or Path
        Where to: a new or empty folder, or one that was written here before.
    intents: int
        Number of intents, at most 31.
    speakers: int
        Number of speakers, at least 3; the last fifth is the test set, the
        fifth before it the validation set.
    takes: int
        How often a speaker says an intent.
    seconds: float
        Length of the longest utterances.
    sample_rate: int
        Samples a second.
    seed: int
        Same seed, same corpus.

    Returns
    -------
    Path
        The folder, with ``data/{train,valid,test}_data.csv`` and
        ``wavs/speakers/``.
    """
    if not 1 <= intents <= len(INTENTS):
        raise ValueError(f"{intents} intents: there are 1 to {len(INTENTS)}")
    slots = sorted({slot for intent in INTENTS for slot in intent})
    rows: dict[str, list[tuple]] = {"train": [], "valid": [], "test": []}
    voices = make_speakers(seed, speakers, 16)
    with whole_folder(
        folder, layout="fluent_speech_commands", seed=seed
    ) as new:
        for who, (speaker, color) in enumerate(voices):
            part = rows[_split(who, speakers)]
            for index, intent in enumerate(INTENTS[:intents]):
                for take in range(takes):
                    rng = np.random.default_rng([seed, who, index, take])
                    name = "-".join(
                        hexadecimal(rng, d) for d in (8, 4, 4, 4, 12)
                    )
                    path = f"wavs/speakers/{speaker}/{name}.wav"
                    n_samples = int(seconds * rng.uniform(0.8, 1) * sample_rate)
                    spoken = [slots.index(slot) for slot in intent]
                    wave = say(rng, spoken, color, n_samples, sample_rate)
                    write_wav(new / path, wave, sample_rate)
                    text = transcribe(*intent)
                    part.append((len(part), path, speaker, text, *intent))
        header = ",path,speakerId,transcription,action,object,location"
        for part, lines in rows.items():
            path = new / "data" / f"{part}_data.csv"
            write_csv(path, header, lines)
    return Path(folder)
