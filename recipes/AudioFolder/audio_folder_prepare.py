"""Data preparation for a folder of one's own sounds, or a table of them.

A folder has a subfolder for each class; a table has the columns ``file`` and
``label``, and perhaps ``split``, ``group``, ``start`` and ``end``.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from speechbrain_petl.dataio.allot import Plan, allot
from speechbrain_petl.dataio.collection import collect
from speechbrain_petl.dataio.groups import describe
from speechbrain_petl.dataio.manifests import Clip, write_manifests
from speechbrain_petl.dataio.segments import fitting_window, segments
from speechbrain_petl.dataio.sounds import SPLITS, one_list
from speechbrain_petl.utils.files import write_json

from speechbrain.utils.logger import get_logger

logger = get_logger(__name__)

RECORD = "groups.json"


def prepare_audio_folder(
    data_folder: str,
    manifest_folder: str,
    metadata: str | None = None,
    group_by: str | None = None,
    n_folds: int | None = None,
    test_fold: int = 1,
    valid_share: float = 0.15,
    test_share: float = 0.15,
    split_seed: int = 1234,
    window: float | str | None = None,
    near_duplicates: bool = True,
    skip_bad_audio: bool = False,
    several_labels: bool = False,
    known_labels: Iterable[str] = (),
) -> None:
    """Writes ``train.json``, ``valid.json``, ``test.json``, and the label map.

    ``groups.json`` beside them tells which sounds were kept together and why,
    how many sounds of each class are in each split, and what else a user
    should know. Whatever must be mended is told in one error, and nothing is
    written then.

    Arguments
    ---------
    data_folder : str
        Folder of the sounds. It is only read.
    manifest_folder : str
        Where to write.
    metadata : str, optional
        Table of the sounds, CSV or JSON lines, with files relative to the
        folder. Without one, each subfolder is a class.
    group_by : str, optional
        Regular expression for file names; sounds in whose names it matches
        the same, such as a speaker, stay together.
    n_folds : int, optional
        Number of folds for cross-validation. Without it, three splits are
        drawn, unless the table or the folders give them.
    test_fold : int
        The fold to test on, from 1; the one before it validates.
    valid_share, test_share : float
        Shares of the sounds that validate and test.
    split_seed : int
        Seed of the splits.
    window : float or str, optional
        Seconds after which a recording is cut into windows, or ``auto`` for
        the length of the longest common clip (see ``fitting_window``).
    near_duplicates : bool
        If False, only copies of equal samples are kept together, and not
        sounds that are compressed, cut or overlapping copies.
    skip_bad_audio : bool
        If True, leaves out sounds that cannot be used and copies that have
        different labels.
    several_labels : bool
        If True, a sound may have several labels, or none, even if the table
        has no such one.
    known_labels : iterable of str
        Classes of a model that the sounds are added to: one class of sounds
        is enough then.

    Example
    -------
    >>> prepare_audio_folder(  # doctest: +SKIP
    ...     "/data/birds", "results/manifest", group_by=r"(\\d+)_"
    ... )
    """
    root = Path(data_folder)
    if not root.is_dir():
        raise FileNotFoundError(f"There is no folder {data_folder} of sounds.")
    if isinstance(window, str) and window != "auto":
        raise ValueError(f"window is {window!r}: give seconds, or auto.")
    if isinstance(window, (int, float)) and not window > 0:
        raise ValueError(f"window is {window}: give a number of seconds.")
    plan = Plan(valid_share, test_share, n_folds, test_fold, split_seed)
    collection = collect(
        root,
        metadata,
        group_by,
        near_duplicates,
        skip_bad_audio,
        several_labels,
        known_labels,
    )
    splits, folds = allot(collection, plan)
    if collection.faults:
        raise one_list(
            str(metadata or data_folder),
            collection.faults,
            "Nothing was written.",
        )
    for note in collection.notes:
        logger.warning(note)
    if window == "auto":
        window = fitting_window(
            [
                heard.end - sound.start
                for sound, heard in zip(collection.sounds, collection.heard)
            ]
        )
    clips: dict[str, list[Clip]] = {split: [] for split in SPLITS}
    groups = collection.groups.of_each()
    for number, split in enumerate(splits):
        extra = {"group": collection.sounds[groups[number]].name}
        if folds is not None:
            extra["fold"] = folds[number]
        clips[split] += clips_of(collection, number, window, extra)
    write_manifests(manifest_folder, root, clips, collection.labels)
    write_json(
        Path(manifest_folder) / RECORD,
        {"window": window, **record_of(collection, splits, folds)},
    )


def clips_of(collection, number, window, extra):
    """Returns the clips that a sound is cut into.

    Arguments
    ---------
    collection : Collection
        The sounds.
    number : int
        Which of them.
    window : float, optional
        Seconds of a window.
    extra : dict
        What the manifest holds of the sound beside.

    Returns
    -------
    list of Clip
        A single one without ``start`` and ``stop`` (samples of the file) for
        a whole file.
    """
    sound, heard = collection.sounds[number], collection.heard[number]
    label = list(sound.labels) if collection.tagging else sound.labels[0]
    parts = segments(sound.start, heard.end, heard.rate, window)
    if len(parts) == 1 and sound.end is None and not sound.start:
        return [Clip(sound.path, sound.path, label, extra)]
    return [
        Clip(
            f"{sound.path}@{start / heard.rate:.2f}-{stop / heard.rate:.2f}",
            sound.path,
            label,
            {
                "duration": (stop - start) / heard.rate,
                "start": start,
                "stop": stop,
                **extra,
            },
        )
        for start, stop in parts
    ]


def record_of(collection, splits, folds):
    """Returns what ``groups.json`` holds.

    Arguments
    ---------
    collection : Collection
        The sounds.
    splits : list of str
        The split of each sound.
    folds : list of int or None
        The fold of each sound.

    Returns
    -------
    dict
    """
    counts = {split: Counter() for split in SPLITS}
    for sound, split in zip(collection.sounds, splits):
        counts[split].update(sound.labels)
    names = [sound.name for sound in collection.sounds]
    return {
        "notes": collection.notes,
        "sounds": {split: splits.count(split) for split in SPLITS},
        "classes": {
            label: {split: counts[split][label] for split in SPLITS}
            for label in collection.labels
        },
        "groups": describe(collection.groups, names, splits),
    }
