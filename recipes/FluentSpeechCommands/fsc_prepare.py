"""Data preparation for Fluent Speech Commands: 31 intents.

The corpus: https://arxiv.org/abs/1904.03670. It is to be asked for at
https://fluent.ai, so nothing is downloaded here. Its splits are official and
share no speaker.
"""

from itertools import combinations
from pathlib import Path

from speechbrain_petl.dataio.corpus import require_corpus, warn_if_excerpt
from speechbrain_petl.dataio.manifests import Clip, write_manifests
from speechbrain_petl.dataio.metadata import Row, read_table
from speechbrain_petl.utils.messages import name_some

from speechbrain.utils.logger import get_logger

logger = get_logger(__name__)

TABLES = {
    "train": "data/train_data.csv",
    "valid": "data/valid_data.csv",
    "test": "data/test_data.csv",
}
SLOTS = ("action", "object", "location")
COLUMNS = ("path", "speakerId", "transcription", *SLOTS)
N_CLIPS = {"train": 23132, "valid": 3118, "test": 3793}
N_INTENTS = 31
HOMEPAGE = (
    "https://fluent.ai/fluent-speech-commands-a-dataset-for-spoken-language-"
    "understanding-research/"
)


def prepare_fsc(
    data_folder: str, manifest_folder: str, skip_bad_audio: bool = False
) -> None:
    """Writes ``train.json``, ``valid.json``, ``test.json``, and the label map.

    A class is an intent such as ``activate|lights|kitchen``; the classes of
    all the splits are in alphabetical order. An excerpt of the corpus is
    fine, with a warning.

    Arguments
    ---------
    data_folder : str
        The corpus, with ``data`` and ``wavs`` in it. It is only read.
    manifest_folder : str
        Where to write.
    skip_bad_audio : bool
        Leave out missing, unreadable and empty files instead of stopping.

    Example
    -------
    >>> prepare_fsc(  # doctest: +SKIP
    ...     "/data/fluent_speech_commands_dataset", "results/save"
    ... )
    """
    corpus = require_corpus(
        data_folder,
        [*TABLES.values(), "wavs"],
        "Fluent Speech Commands",
        "give the folder that holds data and wavs as data_folder; the corpus "
        f"is to be asked for at {HOMEPAGE}.",
    )
    splits = {
        split: [clip(row) for row in read_table(corpus / table, COLUMNS)]
        for split, table in TABLES.items()
    }
    warn_of_shared_speakers(splits)
    labels = sorted({c.label for clips in splits.values() for c in clips})
    sizes = {
        f"{split} clips": (len(clips), N_CLIPS[split])
        for split, clips in splits.items()
    }
    warn_if_excerpt(
        "Fluent Speech Commands",
        corpus,
        {**sizes, "intents": (len(labels), N_INTENTS)},
    )
    write_manifests(manifest_folder, corpus, splits, labels, skip_bad_audio)


def clip(row: Row) -> Clip:
    """Describes the utterance of a row.

    Arguments
    ---------
    row : Row
        A row of one of the tables.

    Returns
    -------
    Clip
    """
    speaker, path = row["speakerId"], row["path"]
    return Clip(
        id=f"{speaker}_{Path(path).stem}",
        path=path,
        label="|".join(row[slot] for slot in SLOTS),
        extra={"speaker": speaker, "transcription": row["transcription"]},
    )


def warn_of_shared_speakers(splits: dict[str, list[Clip]]) -> None:
    """Warns of speakers that are in more than one split.

    Arguments
    ---------
    splits : dict of str to list of Clip
        The clips of each split.
    """
    speakers = {
        split: {c.extra["speaker"] for c in clips}
        for split, clips in splits.items()
    }
    for one, other in combinations(splits, 2):
        shared = sorted(speakers[one] & speakers[other])
        if shared:
            logger.warning(
                f"{len(shared)} speakers are in both {one} and {other}: "
                f"{name_some(shared)}; accuracies will be too high."
            )
