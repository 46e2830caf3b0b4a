"""Data preparation for GTZAN: 10 genres of music.

The corpus: https://doi.org/10.1109/TSA.2002.800560. It has no license and no
lasting homepage, so nothing is downloaded here.

``splits.csv`` says of each clip where two protocols put it. ``fault_filtered``
are the lists of Kereliuk et al. (arXiv 1507.04761), which leave out copies and
distorted clips and share no artist, as torchaudio.datasets.gtzan has them.
``fold`` are the ten random folds of arXiv 2211.02227, from the lists in
github.com/wngh1187/IPET.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from speechbrain_petl.dataio.audio import look_at
from speechbrain_petl.dataio.corpus import require_corpus, warn_if_excerpt
from speechbrain_petl.dataio.folds import choose_folds, split_by_fold
from speechbrain_petl.dataio.manifests import Clip, write_manifests
from speechbrain_petl.dataio.metadata import Row, read_table
from speechbrain_petl.utils.messages import name_some

from speechbrain.utils.logger import get_logger

logger = get_logger(__name__)

SPLITS = Path(__file__).parent / "splits.csv"
AUDIO = ("genres_original", "genres")
SUFFIXES = {".wav", ".au"}
GENRES = (
    "blues classical country disco hiphop jazz metal pop reggae rock".split()
)
N_FOLDS = 10
N_CLIPS = {
    "fault_filtered": {"train": 443, "valid": 197, "test": 290},
    "paper": {"train": 900, "valid": 0, "test": 100},
}
#: Not audio in the copy that most people have (Kaggle's).
BROKEN = "jazz.00054"


def prepare_gtzan(
    data_folder: str,
    manifest_folder: str,
    protocol: str = "fault_filtered",
    test_fold: int = 1,
    skip_bad_audio: bool = False,
) -> None:
    """Writes ``train.json``, ``valid.json``, ``test.json``, and the label map.

    Classes are in alphabetical order. An excerpt of the corpus is fine, with
    a warning. So is a ``jazz.00054`` that cannot be read, and no other file.

    Arguments
    ---------
    data_folder : str
        The corpus: a folder ``genres_original`` or ``genres`` with a folder
        for each genre. It is only read.
    manifest_folder : str
        Where to write.
    protocol : str
        ``fault_filtered``: 443 clips train, 197 validate, 290 test, and no
        artist is in two of the splits. ``paper``: ten random folds, artists
        mixed; nine train, one tests, and ``valid.json`` has no entries, so
        that the last epoch must be tested.
    test_fold : int
        Fold to test on, 1 to 10; read by ``paper`` only.
    skip_bad_audio : bool
        Leave out missing, unreadable and empty files instead of stopping.

    Raises
    ------
    ValueError
        If the protocol is unknown, a folder is not of a genre, or a file not
        a clip of the corpus.

    Example
    -------
    >>> prepare_gtzan("/data/GTZAN", "results/save")  # doctest: +SKIP
    """
    if protocol not in N_CLIPS:
        raise ValueError(
            f"protocol is {protocol!r}: give one of {', '.join(N_CLIPS)}."
        )
    corpus = require_corpus(
        data_folder,
        [],
        "GTZAN",
        "give the folder that holds genres_original, or genres, as "
        "data_folder.",
    )
    rows = {row["clip"]: row for row in read_table(SPLITS, ["clip"])}
    clips = [clip(path, rows) for path in find_clips(corpus)]
    if protocol == "paper":
        available = {c.extra["fold"] for c in clips}
        folds = choose_folds(test_fold, N_FOLDS, available, protocol=protocol)
        splits = split_by_fold(clips, folds)
    else:
        splits = {
            split: [
                replace(c, extra={})
                for c in clips
                if rows[c.id]["fault_filtered"] == split
            ]
            for split in N_CLIPS[protocol]
        }
    labels = sorted({c.label for c in clips})
    sizes = {
        f"{split} clips": (len(clips), N_CLIPS[protocol][split])
        for split, clips in splits.items()
    }
    warn_if_excerpt(
        "GTZAN", corpus, {**sizes, "genres": (len(labels), len(GENRES))}
    )
    write_manifests(
        manifest_folder,
        corpus,
        splits,
        labels,
        skip_bad_audio,
        may_be_empty=("valid",) if protocol == "paper" else (),
    )


def find_clips(corpus: Path) -> list[str]:
    """Finds the audio files of all genres.

    Arguments
    ---------
    corpus : Path
        The corpus.

    Returns
    -------
    list of str
        Paths such as ``genres/blues/blues.00000.au``, without the one that
        is known to be broken, where it is.

    Raises
    ------
    ValueError
        If a folder with audio is not of a genre.
    """
    found = [name for name in AUDIO if (corpus / name).is_dir()]
    if not found:
        raise FileNotFoundError(
            f"{corpus} has neither of {' and '.join(AUDIO)}: give the folder "
            "that holds one of them as data_folder."
        )
    paths = [
        f"{found[0]}/{file.parent.name}/{file.name}"
        for file in sorted((corpus / found[0]).glob("*/*"))
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
    ]
    unknown = sorted({path.split("/")[1] for path in paths} - set(GENRES))
    if unknown:
        raise ValueError(
            f"The folders {name_some(unknown)} of {corpus / found[0]} are not "
            "genres of GTZAN: rename them, or move them elsewhere."
        )
    for path in [path for path in paths if Path(path).stem == BROKEN]:
        reason = look_at(str(corpus / path))[1]
        if reason:
            paths.remove(path)
            logger.warning(
                f"{corpus / path} is {reason}, as in many copies of GTZAN: "
                "going on without it."
            )
    return paths


def clip(path: str, rows: Mapping[str, Row]) -> Clip:
    """Describes a clip.

    Arguments
    ---------
    path : str
        As from ``find_clips``.
    rows : dict of str to Row
        The rows of ``splits.csv`` by clip.

    Returns
    -------
    Clip

    Raises
    ------
    ValueError
        If the corpus has no such clip.
    """
    _, genre, file = path.split("/")
    name = Path(file).stem
    if name not in rows or name.split(".")[0] != genre:
        raise ValueError(
            f"{path} is not one of GTZAN's clips, {genre}.00000 to "
            f"{genre}.00099: move it elsewhere, or restore its name."
        )
    fold = rows[name].integer("fold", range(1, N_FOLDS + 1))
    return Clip(name, path, genre, {"fold": fold})
