"""Corpora of sound events: ESC-50, UrbanSound8K, a folder of one's own."""

from pathlib import Path

import numpy as np
from speechbrain_petl.demo.folders import whole_folder, write_csv, write_wav
from speechbrain_petl.demo.sounds import DEMO

#: UrbanSound8K's classes in the order of their numbers.
URBAN_CLASSES = (
    "air_conditioner",
    "car_horn",
    "children_playing",
    "dog_bark",
    "drilling",
    "engine_idling",
    "gun_shot",
    "jackhammer",
    "siren",
    "street_music",
)


def write_esc50(
    folder: str | Path,
    clips_per_class_and_fold: int = 12,
    classes: int = 10,
    folds: int = 5,
    seconds: float = 2.0,
    sample_rate: int = 16000,
    seed: int = 1986,
) -> Path:
    """Writes a corpus in the layout of ESC-50, one DEMO family a class.

    Arguments
    ---------
    folder: str or Path
        Where to: a new or empty folder, or one that was written here before.
    clips_per_class_and_fold: int
        Number of clips.
    classes: int
        The first so many DEMO families.
    folds: int
        Number of folds, counted from 1.
    seconds: float
        Length of every clip.
    sample_rate: int
        Samples a second.
    seed: int
        Same seed, same corpus.

    Returns
    -------
    Path
        The folder, with ``meta/esc50.csv`` and ``audio/*.wav``.
    """
    if not 1 <= classes <= len(DEMO):
        raise ValueError(f"{classes} classes: there are 1 to {len(DEMO)}")
    rows = []
    with whole_folder(folder, layout="esc50", seed=seed) as new:
        for fold in range(1, folds + 1):
            for target, (category, family) in enumerate(DEMO.items()):
                if target >= classes:
                    break
                for k in range(clips_per_class_and_fold):
                    rng = np.random.default_rng([seed, fold, target, k])
                    source = 100000 * fold + 1000 * target + k
                    name = f"{fold}-{source}-A-{target}.wav"
                    wave = family(rng, int(seconds * sample_rate), sample_rate)
                    write_wav(new / "audio" / name, wave, sample_rate)
                    # As in ESC-50, a part of the classes makes up ESC-10.
                    small = target < (classes + 1) // 2
                    rows.append(
                        (name, fold, target, category, small, source, "A")
                    )
        header = "filename,fold,target,category,esc10,src_file,take"
        write_csv(new / "meta" / "esc50.csv", header, rows)
    return Path(folder)


def write_urbansound8k(
    folder: str | Path,
    clips_per_class_and_fold: int = 4,
    classes: int = 10,
    folds: int = 10,
    seconds: float = 2.0,
    sample_rate: int = 16000,
    seed: int = 1986,
) -> Path:
    """Writes a corpus in the layout of UrbanSound8K.

    As in the original, clips differ in length (half of ``seconds`` or more)
    and some are stereo; the class names are the original's.

    Arguments
    ---------
    folder: str or Path
        Where to: a new or empty folder, or one that was written here before.
    clips_per_class_and_fold: int
        Number of clips.
    classes: int
        Number of classes, at most 10.
    folds: int
        Number of folds, counted from 1.
    seconds: float
        Length of the longest clips.
    sample_rate: int
        Samples a second.
    seed: int
        Same seed, same corpus.

    Returns
    -------
    Path
        The folder, with ``metadata/UrbanSound8K.csv`` and ``audio/fold<N>/``.
    """
    if not 1 <= classes <= len(URBAN_CLASSES):
        raise ValueError(f"{classes} classes: there are 1 to 10")
    rows, families = [], list(DEMO.values())
    with whole_folder(folder, layout="urbansound8k", seed=seed) as new:
        for fold in range(1, folds + 1):
            for target, label in enumerate(URBAN_CLASSES[:classes]):
                for k in range(clips_per_class_and_fold):
                    rng = np.random.default_rng([seed, fold, target, k])
                    source = 100000 + 1000 * fold + 10 * target + k // 2
                    name = f"{source}-{target}-0-{k % 2}.wav"
                    length = seconds * (1.0 if k % 2 else rng.uniform(0.5, 1))
                    n_samples = int(length * sample_rate)
                    wave = families[target](rng, n_samples, sample_rate)
                    if k % 4 == 3:
                        wave = np.stack([wave, 0.5 * wave], axis=1)
                    path = new / "audio" / f"fold{fold}" / name
                    write_wav(path, wave, sample_rate)
                    begin = round(rng.uniform(0, 30), 6)
                    end = round(begin + n_samples / sample_rate, 6)
                    salience = 1 + k % 2
                    rows.append(
                        (
                            name,
                            source,
                            begin,
                            end,
                            salience,
                            fold,
                            target,
                            label,
                        )
                    )
        header = "slice_file_name,fsID,start,end,salience,fold,classID,class"
        path = new / "metadata" / "UrbanSound8K.csv"
        write_csv(path, header, rows)
    return Path(folder)


def write_audio_folder(
    folder: str | Path,
    clips_per_class: int = 40,
    classes: int = 10,
    seconds: float = 2.0,
    sample_rate: int = 16000,
    seed: int = 1986,
) -> Path:
    """Writes a folder of sounds with a subfolder for each class.

    As among one's own recordings, clips differ in length (half of ``seconds``
    or more), and some lie a folder deeper or are FLAC.

    Arguments
    ---------
    folder: str or Path
        Where to: a new or empty folder, or one that was written here before.
    clips_per_class: int
        Number of clips.
    classes: int
        The first so many DEMO families.
    seconds: float
        Length of the longest clips.
    sample_rate: int
        Samples a second.
    seed: int
        Same seed, same corpus.

    Returns
    -------
    Path
        The folder, with ``<class>/*.wav`` and ``<class>/more/*.flac``.
    """
    if not 1 <= classes <= len(DEMO):
        raise ValueError(f"{classes} classes: there are 1 to {len(DEMO)}")
    with whole_folder(folder, layout="audio_folder", seed=seed) as new:
        for target, (label, family) in enumerate(list(DEMO.items())[:classes]):
            for k in range(clips_per_class):
                rng = np.random.default_rng([seed, target, k])
                length = seconds * (1.0 if k % 2 else rng.uniform(0.5, 1))
                wave = family(rng, int(length * sample_rate), sample_rate)
                name = f"more/{k}.flac" if k % 4 == 3 else f"{k}.wav"
                write_wav(new / label / name, wave, sample_rate)
    return Path(folder)
