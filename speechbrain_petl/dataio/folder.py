"""Lists the sounds of a folder that has a subfolder for each class."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from speechbrain_petl.dataio.sounds import (
    Listing,
    Sound,
    clean_name,
    fault_of_name,
)
from speechbrain_petl.utils.files import climbs_out
from speechbrain_petl.utils.messages import name_some

# Names that audio files end in. Some of these formats cannot be read here:
# such files are then named as unreadable, rather than passed over.
AUDIO = frozenset(
    "wav wave flac ogg oga opus mp3 aif aiff aifc au snd caf w64 rf64 sph nist "
    "voc m4a mp4 aac wma amr webm mka ape wv".split()
)
# Names of splits, as folders and in tables
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "dev": "valid",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
}


def read_folder(data_folder: str | Path) -> Listing:
    """Lists the audio files of a folder with a subfolder for each class.

    Files may lie deeper, such as ``dog/garden/1.wav``. Where the subfolders
    are ``train``, ``test`` and perhaps ``valid``, they are the splits, and
    the classes lie in them. What is hidden is passed over.

    Arguments
    ---------
    data_folder : str or Path
        Folder with the subfolders.

    Returns
    -------
    Listing
        The sounds are sorted by path.

    Raises
    ------
    ValueError
        If a subfolder cannot be entered.

    Example
    -------
    >>> root = getfixture("tmp_path")
    >>> for name in ("dog/1.wav", "dog/garden/2.mp3", "cat/1.flac"):
    ...     (root / name).parent.mkdir(parents=True, exist_ok=True)
    ...     (root / name).touch()
    >>> [(sound.path, sound.labels) for sound in read_folder(root).sounds]
    [('cat/1.flac', ('cat',)), ('dog/1.wav', ('dog',)), \
('dog/garden/2.mp3', ('dog',))]
    """
    paths = sorted(audio_files(data_folder))
    parts = {path: PurePosixPath(path).parts for path in paths}
    depth = 1 if _splits_come_first(parts.values()) else 0
    sounds, faults = [], []
    stray = [path for path in paths if len(parts[path]) < depth + 2]
    if stray:
        faults.append(
            f"{len(stray)} audio files lie in no class's subfolder: "
            f"{name_some(stray)}; move them into that of their class."
        )
    for path in paths:
        if fault := fault_of_name(path):
            faults.append(f"The name of {path!r:.120} {fault}: rename it.")
        elif climbs_out(path):
            faults.append(f"The name of {path!r:.120} is no relative path.")
        elif len(parts[path]) >= depth + 2:
            split = SPLIT_NAMES[parts[path][0].casefold()] if depth else None
            label = clean_name(parts[path][depth])
            sounds.append(Sound(path, (label,), split, origin=path))
    if not paths:
        faults.append(
            "There is no audio file in it: put the files of each class into "
            "a subfolder with the name of the class."
        )
    used = {parts[path][0] for path in paths}
    unused = sorted(
        path.name
        for path in Path(data_folder).iterdir()
        if path.is_dir() and not _hidden(path.name) and path.name not in used
    )
    notes = []
    if unused and used:
        notes.append(
            f"{len(unused)} subfolders hold no audio file, and are no "
            f"classes: {name_some(unused)}."
        )
    return Listing(sounds, faults, notes)


def audio_files(folder: str | Path) -> Iterator[str]:
    """Yields the audio files in a folder and below.

    Links are followed, but no folder is entered twice.

    Arguments
    ---------
    folder : str or Path
        Where to look.

    Yields
    ------
    str
        Path relative to the folder, with forward slashes.
    """
    root, entered = os.fspath(folder), set()

    def refuse(error):
        """Raises what ``os.walk`` would pass over."""
        raise ValueError(
            f"The folder {error.filename} cannot be entered: {error.strerror}."
        ) from error

    for place, folders, files in os.walk(root, True, refuse, followlinks=True):
        state = os.stat(place)
        if (state.st_dev, state.st_ino) in entered:
            folders.clear()
            continue
        entered.add((state.st_dev, state.st_ino))
        folders[:] = sorted(name for name in folders if not _hidden(name))
        for name in sorted(files):
            if not _hidden(name) and is_audio(name):
                path = os.path.relpath(os.path.join(place, name), root)
                yield path.replace(os.sep, "/")


def is_audio(name: str) -> bool:
    """Returns True if a file is audio by the ending of its name."""
    return name.rpartition(".")[2].casefold() in AUDIO


def _hidden(name):
    """Returns True if a name is one that systems keep to themselves."""
    return name.startswith(".") or name == "__MACOSX"


def _splits_come_first(all_parts):
    """Returns True if the first folders are splits and not classes."""
    all_parts = list(all_parts)
    first = {parts[0].casefold() for parts in all_parts}
    deep = all(len(parts) >= 3 for parts in all_parts)
    return deep and first <= set(SPLIT_NAMES) and "train" in first
