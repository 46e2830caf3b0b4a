"""StoredDataset: states in place of waveforms, and how clips are told apart."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import torch
from speechbrain_petl.dataio.digests import digests_of
from torch import nn

from speechbrain.dataio.dataset import (
    DynamicItemDataset,
    FilteredSortedDynamicItemDataset,
)


class StoredDataset(FilteredSortedDynamicItemDataset):
    """A dataset with ``states`` in place of ``sig``.

    Arguments
    ---------
    dataset : DynamicItemDataset
        Dataset with ``sig``.
    keys : mapping of str to str
        Keys of the clips by id.
    read : callable
        Returns the states of a key.
    draws : int, optional
        Number of augmented versions, of which each epoch takes another one;
        None if there is one and it has no number.

    Attributes
    ----------
    epoch : int
        Number of the epoch.
    """

    def __init__(
        self,
        dataset: DynamicItemDataset,
        keys: Mapping[str, str],
        read: Callable[[str], torch.Tensor],
        draws: int | None = None,
    ):
        super().__init__(dataset, list(dataset.data_ids))
        self.epoch = 1
        outputs = dict(self.pipeline.output_mapping)
        outputs.pop("sig")
        self._keys, self._read, self._draws = keys, read, draws
        self.add_dynamic_item(self.states_of, takes="id", provides="states")
        self.set_output_keys({**outputs, "states": "states"})

    def states_of(self, id_: str) -> torch.Tensor:
        """Returns the states of a clip in this epoch."""
        key = self._keys[id_]
        if self._draws is None:
            return self._read(key)
        # Clips do not come to their first draw all in the same epoch.
        draw = (int(key[:8], 16) + self.epoch - 1) % self._draws
        return self._read(f"{key}-{draw}")


def clip_keys(dataset: DynamicItemDataset, folder: str) -> dict[str, str]:
    """Identifies clips by their content.

    Arguments
    ---------
    dataset : DynamicItemDataset
        Entries have ``wav`` and, for a part of a file, ``start`` and ``stop``.
    folder : str
        Folder of the corpus.

    Returns
    -------
    dict of str to str
        64 hexadecimal digits by id.

    Raises
    ------
    ValueError
        If an entry has no ``wav``.
    """
    entries = {id_: dataset.data[id_] for id_ in dataset.data_ids}
    without = [id_ for id_, entry in entries.items() if "wav" not in entry]
    if without:
        raise ValueError(
            f"'{without[0]}' has no 'wav', so that its states cannot be told "
            "from others': set stored_states to null."
        )
    root = os.path.abspath(folder)
    files = {
        id_: os.path.relpath(os.path.abspath(entry["wav"]), root)
        for id_, entry in entries.items()
    }
    digests = digests_of(root, files.values())
    return {
        id_: digest(
            json.dumps(
                [
                    digests[files[id_]],
                    entry.get("start") or 0,
                    entry.get("stop"),
                ]
            )
        )
        for id_, entry in entries.items()
    }


def describe(module: nn.Module) -> dict[str, Any]:
    """Lists what a module without trained tensors is, in plain values.

    Example
    -------
    >>> describe(nn.Dropout(0.5))[""]["p"]
    0.5
    """
    plain = (bool, int, float, str, type(None))
    found = {}
    for name, part in module.named_modules():
        kind = type(part)
        found[name] = {
            "class": f"{kind.__module__}.{kind.__qualname__}",
            **{
                key: value
                for key, value in sorted(vars(part).items())
                if isinstance(value, plain)
                and key not in ("training", "call_super_init", "dump_patches")
            },
        }
    return found


def digest(text: str) -> str:
    """Computes the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
