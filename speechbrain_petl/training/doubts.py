"""What is odd about a run's data and masks, though it can be trained."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from speechbrain_petl.dataio.labels import load_label_encoder
from speechbrain_petl.utils.files import read_json
from speechbrain_petl.utils.messages import name_some


def doubts(hparams: Mapping[str, Any]) -> list[str]:
    """Returns what whoever starts a run should know before it has ended.

    Arguments
    ---------
    hparams : mapping
        As from ``start``, after the data preparation.

    Returns
    -------
    list of str
        Sentences; empty if nothing is odd.
    """
    file = hparams.get("train_manifest")
    clips = list(read_json(file).values()) if file else []
    if not clips:
        return []
    return [*_untrained(clips, hparams), *_masked(clips, hparams)]


def _untrained(clips, hparams):
    """Tells of classes without a training clip."""
    path = hparams.get("label_map")
    if not path or not Path(path).is_file():
        return []
    classes = load_label_encoder(str(path)).ind2lab.values()
    there = set()
    for clip in clips:
        labels = clip.get("label", [])
        there |= set(labels if isinstance(labels, list) else [labels])
    # Manifests double the braces of a text.
    names = {c: c.replace("{", "{{").replace("}", "}}") for c in classes}
    lost = [c for c, written in names.items() if written not in there]
    if not lost or len(lost) == len(names):  # labels that are no classes
        return []
    return [
        f"{len(lost)} of {len(names)} classes have no training clip, so that "
        f"the model cannot learn them: {name_some(lost)}."
    ]


def _masked(clips, hparams):
    """Tells of masks that may hide more than half of a clip."""
    shape = getattr(hparams.get("backbone"), "input_shape", ())
    if len(shape) != 2:
        return []
    frames = min(shape[0], round(100 * median(c["duration"] for c in clips)))
    found = []
    for key, size, what in (
        ("time_mask", frames, "frames that a clip usually has"),
        ("freq_mask", shape[1], "mel bins"),
    ):
        width = hparams.get(key)
        if isinstance(width, int) and width > size / 2:
            found.append(
                f"{key} {width} may hide more than half of the {size} {what}: "
                f"--{key} {size // 4} hides a quarter at most."
            )
    return found
