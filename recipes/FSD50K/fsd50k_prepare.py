"""Data preparation for FSD50K: 200 classes of sounds, several labels a clip.

The corpus: https://zenodo.org/record/4060432 (CC BY 4.0, clips under licenses
of their own). It comes in parts of split archives, to be joined with zip, so
nothing is downloaded here. Its splits are official.
"""

from collections.abc import Collection, Iterable
from itertools import chain

from speechbrain_petl.dataio.corpus import require_corpus, warn_if_excerpt
from speechbrain_petl.dataio.labels import labels_by_index
from speechbrain_petl.dataio.manifests import Clip, write_manifests
from speechbrain_petl.dataio.metadata import Row, read_table
from speechbrain_petl.utils.messages import name_some

from speechbrain.utils.logger import get_logger

logger = get_logger(__name__)

GROUND_TRUTH = "FSD50K.ground_truth"
DEV, EVAL = f"{GROUND_TRUTH}/dev.csv", f"{GROUND_TRUTH}/eval.csv"
VOCABULARY = f"{GROUND_TRUTH}/vocabulary.csv"  # the only one without a header
DEV_AUDIO, EVAL_AUDIO = "FSD50K.dev_audio", "FSD50K.eval_audio"
N_CLIPS = {"train": 36796, "valid": 4170, "test": 10231}
N_CLASSES = 200


def prepare_fsd50k(
    data_folder: str, manifest_folder: str, skip_bad_audio: bool = False
) -> None:
    """Writes ``train.json``, ``valid.json``, ``test.json``, and the label map.

    A clip's ``label`` is a list: the ontology's ancestors of a class are
    labels too, as in the corpus. Classes are in the order of its vocabulary.
    An excerpt of the corpus is fine, with a warning.

    Arguments
    ---------
    data_folder : str
        The corpus, with ``FSD50K.ground_truth``, ``FSD50K.dev_audio`` and
        ``FSD50K.eval_audio`` in it. It is only read.
    manifest_folder : str
        Where to write.
    skip_bad_audio : bool
        Leave out missing, unreadable and empty files instead of stopping.

    Raises
    ------
    ValueError
        If a table is malformed, or names a label that the vocabulary lacks.

    Example
    -------
    >>> prepare_fsd50k("/data/FSD50K", "results/save")  # doctest: +SKIP
    """
    corpus = require_corpus(
        data_folder,
        [DEV, EVAL, VOCABULARY, DEV_AUDIO, EVAL_AUDIO],
        "FSD50K",
        "give the folder that holds the unpacked archives as data_folder; "
        "they are to be had from https://zenodo.org/record/4060432.",
    )
    names = ("index", "label", "mid")
    labels = labels_by_index(
        (row.integer("index", range(N_CLASSES)), row["label"])
        for row in read_table(corpus / VOCABULARY, names, names)
    )
    splits: dict[str, list[Clip]] = {"train": [], "valid": [], "test": []}
    for row in read_table(corpus / DEV, ["fname", "labels", "split"]):
        splits[split_of(row)].append(clip(row, DEV_AUDIO, labels))
    for row in read_table(corpus / EVAL, ["fname", "labels"]):
        splits["test"].append(clip(row, EVAL_AUDIO, labels))
    warn_of_labels_that_lack_clips(splits["train"], labels)
    sizes = {
        f"{split} clips": (len(clips), N_CLIPS[split])
        for split, clips in splits.items()
    }
    warn_if_excerpt(
        "FSD50K", corpus, {**sizes, "classes": (len(labels), N_CLASSES)}
    )
    write_manifests(manifest_folder, corpus, splits, labels, skip_bad_audio)


def split_of(row: Row) -> str:
    """Returns the split of a row of ``dev.csv``: train or valid."""
    splits = {"train": "train", "val": "valid"}
    if row["split"] not in splits:
        raise row.error(
            "split", f"is {row['split']!r}, but should be train or val"
        )
    return splits[row["split"]]


def clip(row: Row, folder: str, vocabulary: Collection[str]) -> Clip:
    """Describes the clip of a row.

    Arguments
    ---------
    row : Row
        A row of one of the tables.
    folder : str
        Folder of its audio.
    vocabulary : collection of str
        The labels that there are.

    Returns
    -------
    Clip

    Raises
    ------
    ValueError
        If the vocabulary lacks a label, or a label is there twice.
    """
    found = row["labels"].split(",")
    unknown = sorted(set(found) - set(vocabulary))
    if unknown:
        raise row.error(
            "labels", f"has {name_some(unknown)}, not in {VOCABULARY}"
        )
    if len(set(found)) < len(found):
        raise row.error("labels", "names a label twice")
    name = row["fname"]
    return Clip(id=name, path=f"{folder}/{name}.wav", label=found)


def warn_of_labels_that_lack_clips(
    clips: Iterable[Clip], labels: Iterable[str]
) -> None:
    """Warns of classes that no clip trains: they cannot be learned.

    Arguments
    ---------
    clips : iterable of Clip
        The clips that train.
    labels : iterable of str
        All labels.
    """
    used = set(chain.from_iterable(clip.label for clip in clips))
    unused = [label for label in labels if label not in used]
    if unused:
        logger.warning(
            f"No clip trains {len(unused)} of the labels: {name_some(unused)}."
        )
