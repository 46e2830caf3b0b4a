"""Data preparation for UrbanSound8K: 10 classes of city sounds, 10 folds.

The corpus: https://urbansounddataset.weebly.com/urbansound8k.html (CC BY-NC
3.0). Its licence has to be accepted there, so nothing is downloaded here.
"""

from pathlib import Path

from speechbrain_petl.dataio.corpus import require_corpus, warn_if_excerpt
from speechbrain_petl.dataio.folds import choose_folds, split_by_fold
from speechbrain_petl.dataio.labels import labels_by_index
from speechbrain_petl.dataio.manifests import Clip, write_manifests
from speechbrain_petl.dataio.metadata import read_table

METADATA = "metadata/UrbanSound8K.csv"
N_FOLDS = 10
ALL_FOLDS = range(1, N_FOLDS + 1)
N_CLASSES = 10
N_CLIPS = 8732


def prepare_urbansound8k(
    data_folder: str,
    manifest_folder: str,
    test_fold: int = 1,
    train_folds: list[int] | None = None,
    valid_folds: list[int] | None = None,
    test_folds: list[int] | None = None,
    protocol: str = "rotate",
    skip_bad_audio: bool = False,
) -> None:
    """Writes ``train.json``, ``valid.json``, ``test.json``, and the label map.

    Classes are in the order of ``classID``, which is the same for all folds.
    An excerpt of the corpus is fine, with a warning.

    Arguments
    ---------
    data_folder : str
        The corpus, with ``audio`` and ``metadata`` in it. It is only read.
    manifest_folder : str
        Where to write.
    test_fold : int
        The fold to test on.
    train_folds, valid_folds, test_folds : list of int, optional
        Explicit lists instead of ``test_fold``: all three or none.
    protocol : str
        ``rotate``: the fold before the test fold, cyclically, validates and
        eight train. ``paper``: nine train and ``valid.json`` has no entries,
        so that the last epoch must be tested.
    skip_bad_audio : bool
        Leave out missing, unreadable and empty files instead of stopping.

    Example
    -------
    >>> prepare_urbansound8k(  # doctest: +SKIP
    ...     "/data/UrbanSound8K", "results/save", test_fold=10
    ... )
    """
    corpus = require_corpus(
        data_folder,
        [METADATA, "audio"],
        "UrbanSound8K",
        "give the folder that holds metadata and audio as data_folder; the "
        "corpus is to be had, once its licence is accepted, from "
        "https://urbansounddataset.weebly.com/urbansound8k.html.",
    )
    rows = read_table(
        corpus / METADATA, ["slice_file_name", "fold", "classID", "class"]
    )
    clips = []
    for row in rows:
        name, fold = row["slice_file_name"], row.integer("fold", ALL_FOLDS)
        clips.append(
            Clip(
                id=Path(name).stem,
                path=f"audio/fold{fold}/{name}",
                label=row["class"],
                extra={"fold": fold},
            )
        )
    labels = labels_by_index(
        (row.integer("classID", range(N_CLASSES)), row["class"]) for row in rows
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
    )
    warn_if_excerpt(
        "UrbanSound8K",
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
