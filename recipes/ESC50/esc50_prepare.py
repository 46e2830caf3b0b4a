"""Data preparation for ESC-50: 50 classes of environmental sounds, 5 folds.

The corpus: https://github.com/karolpiczak/ESC-50 (CC BY-NC 3.0)
"""

from pathlib import Path

from speechbrain_petl.dataio.corpus import require_corpus, warn_if_excerpt
from speechbrain_petl.dataio.download import fetch_archive
from speechbrain_petl.dataio.folds import choose_folds, split_by_fold
from speechbrain_petl.dataio.labels import labels_by_index
from speechbrain_petl.dataio.manifests import Clip, write_manifests
from speechbrain_petl.dataio.metadata import read_table

METADATA = "meta/esc50.csv"
N_FOLDS = 5
PROTOCOLS = ("rotate", "usual")
N_CLASSES = 50
N_CLIPS = 2000

# PaddlePaddle publishes this pair in python/paddle/audio/datasets/esc50.py;
# soundata publishes the same checksum for GitHub's archive of the corpus.
# That one is made anew at each download, this one is a file that stays.
ARCHIVE = "https://paddleaudio.bj.bcebos.com/datasets/ESC-50-master.zip"
CHECKSUM = "md5:7771e4b9d86d0945acce719c7a59305a"


def prepare_esc50(
    data_folder: str,
    manifest_folder: str,
    test_fold: int = 1,
    protocol: str = "rotate",
    train_folds: list[int] | None = None,
    valid_folds: list[int] | None = None,
    test_folds: list[int] | None = None,
    download: bool = False,
    skip_bad_audio: bool = False,
) -> None:
    """Writes ``train.json``, ``valid.json``, ``test.json``, and the label map.

    Classes are in the order of ``target``, which is the same for all folds.
    An excerpt of the corpus, such as ESC-10, is fine, with a warning.

    Arguments
    ---------
    data_folder : str
        The corpus, with ``audio`` and ``meta`` in it. It is only read.
    manifest_folder : str
        Where to write.
    test_fold : int
        The fold to test on.
    protocol : str
        ``rotate``: the fold before the test fold, cyclically, validates, and
        the other three train. ``usual``: all four train, and ``valid.json`` is
        empty.
    train_folds, valid_folds, test_folds : list of int, optional
        Explicit lists instead of ``test_fold``: all three or none.
    download : bool
        Download the corpus (600 MB) if there is no ``data_folder``.
    skip_bad_audio : bool
        Leave out missing, unreadable and empty files instead of stopping.

    Example
    -------
    >>> prepare_esc50(
    ...     "/data/ESC-50", "results/save", test_fold=5
    ... )  # doctest: +SKIP
    """
    if download and not Path(data_folder).exists():
        fetch_archive(ARCHIVE, CHECKSUM, data_folder, top_level="ESC-50-master")
    corpus = require_corpus(
        data_folder,
        [METADATA, "audio"],
        "ESC-50",
        "give the folder that holds meta and audio as data_folder, or a new "
        "one with download set to True.",
    )
    rows = read_table(
        corpus / METADATA, ["filename", "fold", "target", "category"]
    )
    clips = [
        Clip(
            id=Path(row["filename"]).stem,
            path=f"audio/{row['filename']}",
            label=row["category"],
            extra={"fold": row.integer("fold", range(1, N_FOLDS + 1))},
        )
        for row in rows
    ]
    labels = labels_by_index(
        (row.integer("target", range(N_CLASSES)), row["category"])
        for row in rows
    )
    available = {clip.extra["fold"] for clip in clips}
    folds = choose_folds(
        test_fold,
        N_FOLDS,
        available,
        train_folds,
        valid_folds,
        test_folds,
        protocol,
        PROTOCOLS,
    )
    warn_if_excerpt(
        "ESC-50",
        corpus,
        {
            "clips": (len(clips), N_CLIPS),
            "classes": (len(labels), N_CLASSES),
            "folds": (len(available), N_FOLDS),
        },
    )
    write_manifests(
        manifest_folder,
        corpus,
        split_by_fold(clips, folds),
        labels,
        skip_bad_audio,
        may_be_empty=() if folds["valid"] else ("valid",),
    )
