"""The prepared sounds: manifests, labels, and how long a clip is."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from speechbrain_petl.adapt.one_label import OneLabel
from speechbrain_petl.adapt.recipe import run_preparation
from speechbrain_petl.adapt.request import Request
from speechbrain_petl.adapt.tags import Tags
from speechbrain_petl.adapt.task import Task
from speechbrain_petl.dataio.datasets import make_datasets, read_manifest
from speechbrain_petl.dataio.identity import data_of
from speechbrain_petl.dataio.labels import LABEL_MAP, load_label_encoder
from speechbrain_petl.utils.files import read_json

from speechbrain.dataio.dataset import DynamicItemDataset
from speechbrain.dataio.encoder import CategoricalEncoder

SPLITS = ("train", "valid", "test")
CACHE_GB = 10
FRAMES = 100  # a second
RECORD = "groups.json"
TASKS: dict[str, Task] = {task.name: task for task in (OneLabel(), Tags())}


@dataclass(frozen=True)
class Sounds:
    """The prepared sounds of a training.

    Arguments
    ---------
    data_folder : str
        Folder of the sounds.
    manifests : Path
        Folder of the manifests.
    entries : dict of str to dict
        Entries of the manifest of each split, by id.
    labels : CategoricalEncoder
        Label map.
    record : dict
        Content of ``groups.json``.
    """

    data_folder: str
    manifests: Path
    entries: dict[str, dict[str, dict]]
    labels: CategoricalEncoder
    record: dict[str, Any]

    @property
    def names(self) -> list[str]:
        """Returns the classes in the order of the label map."""
        return [self.labels.ind2lab[i] for i in range(len(self.labels))]

    @property
    def task(self) -> Task:
        """Returns what depends on how many labels a sound has."""
        (several,) = {
            isinstance(entry["label"], list)
            for entries in self.entries.values()
            for entry in entries.values()
        }
        (task,) = (one for one in TASKS.values() if one.several == several)
        return task

    @property
    def max_length(self) -> int:
        """Returns the length of a window in frames."""
        return round(self.record["window"] * FRAMES)

    def sizes(self) -> dict[str, int]:
        """Returns the number of clips of each split."""
        return {split: len(self.entries[split]) for split in SPLITS}

    def classes(self, split: str) -> Counter:
        """Returns the number of clips of each class in a split."""
        found: Counter = Counter()
        for entry in self.entries[split].values():
            label = entry["label"]
            found.update(label if isinstance(label, list) else [label])
        return found

    def targets(self, split: str) -> torch.Tensor:
        """Returns the targets of a split's clips, see ``Task``."""
        labels = [entry["label"] for entry in self.entries[split].values()]
        named = set().union(*map(self.classes, SPLITS))
        return self.task.encode(labels, self.names, named)

    def manifest(self, split: str) -> str:
        """Returns the file of a split's manifest."""
        return str(self.manifests / f"{split}.json")

    def dataset(self, split: str, rate: int) -> DynamicItemDataset:
        """Makes the dataset of a split, see ``make_datasets``."""
        made = make_datasets(
            {split: self.manifest(split)},
            self.data_folder,
            self.labels,
            rate,
            CACHE_GB,
        )[split]
        assert made is not None  # a prepared split has clips
        return made

    def identity(self) -> dict[str, dict]:
        """Returns what tells these sounds from others, by content."""
        files = {f"{s}_manifest": self.manifest(s) for s in SPLITS}
        label_map = str(self.manifests / LABEL_MAP)
        return data_of(
            {"data_folder": self.data_folder, "label_map": label_map, **files}
        )


def prepare(request: Request, folder: Path, **options: Any) -> Sounds:
    """Runs the recipe's data preparation, which writes into a folder.

    Arguments
    ---------
    request : Request
        What is asked.
    folder : Path
        Where to.
    **options : dict
        Further ones of the preparation, of an artefact that is continued.

    Raises
    ------
    ValueError
        If anything must be mended first, in one list.
    """
    run_preparation(
        data_folder=request.data_folder,
        manifest_folder=str(folder),
        metadata=request.metadata,
        group_by=request.group_by,
        split_seed=request.seed,
        near_duplicates=request.near_duplicates,
        skip_bad_audio=request.skip_bad_audio,
        **{"window": "auto", **options},
    )
    return read(request, folder)


def read(request: Request, folder: Path) -> Sounds:
    """Reads what ``prepare`` left in a folder.

    Raises
    ------
    ValueError
        If it is not there, or damaged, or no clip of a split has a label.
    """
    files = {split: folder / f"{split}.json" for split in SPLITS}
    sounds = Sounds(
        str(Path(request.data_folder).absolute()),
        folder,
        {
            split: read_manifest(str(file), request.data_folder)
            for split, file in files.items()
        },
        load_label_encoder(str(folder / LABEL_MAP)),
        read_json(folder / RECORD),
    )
    for split in SPLITS:
        if not sounds.classes(split):
            raise ValueError(
                f"No clip of the split '{split}' has a label, so that nothing "
                "can be learned or measured there: label more sounds, or give "
                "other splits in a column split."
            )
    return sounds
