"""The smallest corpora that the tests of this folder write and read."""

import csv

from speechbrain_petl.demo import corpora

TINY = {
    "esc50": {"clips_per_class_and_fold": 1, "classes": 3, "seconds": 0.2},
    "urbansound8k": {"classes": 2, "folds": 3, "seconds": 0.2},
    "audio_folder": {"clips_per_class": 4, "classes": 2, "seconds": 0.2},
    "speech_commands": {"words": 3, "speakers": 5, "takes": 1},
    "fluent_speech_commands": {"intents": 2, "speakers": 3, "seconds": 0.3},
    "gtzan": {"genres": 2, "every": 30, "seconds": 0.2},
    "iemocap": {"sessions": 2, "takes": 1, "seconds": 0.2},
    "fsd50k": {"train": 6, "valid": 6, "test": 6, "seconds": 0.2},
    "voxceleb": {"speakers": 2, "test_speakers": 2, "seconds": 0.2},
}


def table(path):
    """Rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(name, folder, **options):
    """Writes a small corpus; returns its folder."""
    return corpora.MINIATURES[name][0](folder, **{**TINY[name], **options})
