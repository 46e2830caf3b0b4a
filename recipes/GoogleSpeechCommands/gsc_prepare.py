"""Data preparation for Speech Commands v0.02: 35 spoken words.

The corpus: https://arxiv.org/abs/1804.03209 (CC BY 4.0). Its own lists say
which clips validate and test, divided by speaker; all others train.
"""

from pathlib import Path

from speechbrain_petl.dataio.corpus import require_corpus, warn_if_excerpt
from speechbrain_petl.dataio.download import fetch_archive
from speechbrain_petl.dataio.manifests import Clip, write_manifests
from speechbrain_petl.utils.messages import name_some

WORDS = (
    "backward bed bird cat dog down eight five follow forward four go happy "
    "house learn left marvin nine no off on one right seven sheila six stop "
    "three tree two up visual wow yes zero"
).split()
LISTS = {"valid": "validation_list.txt", "test": "testing_list.txt"}
NOISE = "_background_noise_"
SUFFIXES = {".wav", ".flac", ".ogg"}
N_CLIPS = 105829

# torchaudio publishes this pair in torchaudio/datasets/speechcommands.py.
ARCHIVE = "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz"
CHECKSUM = (
    "sha256:af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58"
)


def prepare_gsc(
    data_folder: str,
    manifest_folder: str,
    download: bool = False,
    skip_bad_audio: bool = False,
) -> None:
    """Writes ``train.json``, ``valid.json``, ``test.json``, and the label map.

    Classes are the words that are present, in alphabetical order. An excerpt
    of the corpus is fine, with a warning, but its lists must name only clips
    that it has: a listed clip without a file counts as missing audio.

    Arguments
    ---------
    data_folder : str
        The corpus: a folder for each word, and the two lists. It is only
        read.
    manifest_folder : str
        Where to write.
    download : bool
        Download the corpus (2.3 GB) if there is no ``data_folder``.
    skip_bad_audio : bool
        Leave out missing, unreadable and empty files instead of stopping.

    Raises
    ------
    ValueError
        If a folder is empty or not of a word of the corpus, or a clip is in
        both lists.

    Example
    -------
    >>> prepare_gsc("/data/speech_commands", "results/save")  # doctest: +SKIP
    """
    if download and not Path(data_folder).exists():
        fetch_archive(ARCHIVE, CHECKSUM, data_folder)
    corpus = require_corpus(
        data_folder,
        LISTS.values(),
        "Speech Commands",
        "give the folder that holds the folders of the words and the two "
        "lists as data_folder, or a new one with download set to True.",
    )
    paths = find_clips(corpus)
    listed = {split: read_list(corpus / name) for split, name in LISTS.items()}
    both = sorted(listed["valid"] & listed["test"])
    if both:
        raise ValueError(
            f"{len(both)} clips are in both {' and '.join(LISTS.values())} "
            f"of {corpus}: {name_some(both)}; restore the original lists."
        )
    splits = {"train": paths - listed["valid"] - listed["test"], **listed}
    labels = sorted({path.split("/")[0] for path in paths})
    warn_if_excerpt(
        "Speech Commands v0.02",
        corpus,
        {
            "clips": (len(paths), N_CLIPS),
            "words": (len(labels), len(WORDS)),
        },
    )
    write_manifests(
        manifest_folder,
        corpus,
        {name: map(clip, split) for name, split in splits.items()},
        labels,
        skip_bad_audio,
    )


def find_clips(corpus: Path) -> set[str]:
    """Finds the audio files of all words.

    Arguments
    ---------
    corpus : Path
        The corpus.

    Returns
    -------
    set of str
        Paths such as ``bed/a9abc695_nohash_1.wav``.

    Raises
    ------
    ValueError
        If the folder of a word is empty, or a folder with audio is not of a
        word.
    """
    found = {
        folder.name: {
            f"{folder.name}/{file.name}"
            for file in folder.iterdir()
            if file.suffix.lower() in SUFFIXES
        }
        for folder in corpus.iterdir()
        if folder.is_dir() and folder.name != NOISE
    }
    empty = sorted(w for w, paths in found.items() if not paths and w in WORDS)
    if empty:
        raise ValueError(
            f"No audio file in the folders {name_some(empty)} of {corpus}: "
            "restore the files, or remove the folders to go without these "
            "words."
        )
    unknown = sorted(
        w for w, paths in found.items() if paths and w not in WORDS
    )
    if unknown:
        raise ValueError(
            f"The folders {name_some(unknown)} of {corpus} are not words of "
            "Speech Commands v0.02: rename them, or move them elsewhere."
        )
    return set().union(*found.values())


def read_list(file: Path) -> set[str]:
    """Reads a list of clips, one a line.

    Arguments
    ---------
    file : Path
        The list.

    Returns
    -------
    set of str
        Paths as from ``find_clips``.
    """
    lines = file.read_text(encoding="utf-8").splitlines()
    return {line.strip() for line in lines if line.strip()}


def clip(path: str) -> Clip:
    """Describes a clip, whose file name begins with its speaker.

    Arguments
    ---------
    path : str
        As from ``find_clips``.

    Returns
    -------
    Clip

    Example
    -------
    >>> clip("bed/a9abc695_nohash_1.wav").id
    'bed_a9abc695_nohash_1'
    """
    word, _, name = path.rpartition("/")
    stem = Path(name).stem
    speaker = stem.split("_nohash_")[0]
    return Clip(f"{word}_{stem}", path, word, {"speaker": speaker})
