"""States of clips, computed once by the frozen part of a model and kept.

See ``speechbrain_petl.lobes.split_encoder`` for what they are.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch
from speechbrain_petl.lobes.split_encoder import SplitEncoder
from torch import nn

from speechbrain.dataio.dataloader import make_dataloader
from speechbrain.dataio.dataset import DynamicItemDataset


def varies(augment: nn.Module) -> bool:
    """Returns True if an augmentation changes features [B, mel, frame].

    Tried on random ones; no random number is drawn from the global generator.

    Example
    -------
    >>> from torchaudio.transforms import SpecAugment
    >>> varies(SpecAugment(1, 80, 1, 24)), varies(SpecAugment(1, 0, 1, 0))
    (True, False)
    """
    with torch.random.fork_rng(devices=[]):
        feats = torch.rand(64, 128, 100)
        return not torch.equal(augment(feats.clone()), feats)


def store_states(
    loader: Iterable,
    states_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> DynamicItemDataset:
    """Runs the frozen part over a dataset.

    Arguments
    ---------
    loader : iterable of PaddedBatch
        Batches with ``id``, ``sig`` and ``target``.
    states_of : callable
        Gives the states [B, d] of waveforms [B, samples] and their relative
        lengths [B].

    Returns
    -------
    DynamicItemDataset
        Gives ``id``, ``states`` [d] and ``target``, in the loader's order.
    """
    entries = {}
    for batch in loader:
        states = states_of(*batch.sig).float().cpu()
        for id_, row, target in zip(
            batch.id, states, batch.target, strict=True
        ):
            entries[id_] = {"states": row.clone(), "target": int(target)}
    return DynamicItemDataset(entries, output_keys=["id", "states", "target"])


def store_dataset(
    dataset: DynamicItemDataset,
    loader_kwargs: Mapping[str, Any],
    compute_features: nn.Module,
    encoder: SplitEncoder,
    device: str,
    precision: AbstractContextManager,
) -> tuple[DynamicItemDataset, dict[str, Any]]:
    """Runs front end and frozen part over a dataset.

    Arguments
    ---------
    dataset : DynamicItemDataset
        Gives ``id``, ``sig`` and ``target``.
    loader_kwargs : mapping
        Arguments of its loader.
    compute_features : torch.nn.Module
        Front end.
    encoder : SplitEncoder
        Model whose frozen part runs.
    device : str
        Device that it runs on.
    precision : context manager
        Precision that it runs in.

    Returns
    -------
    dataset : DynamicItemDataset
        Gives ``id``, ``states`` and ``target``.
    loader_kwargs : dict
        Arguments of its loader: no workers, as there is nothing to read.
    """

    def states_of(wavs, lens):
        """Returns the states [B, d] of waveforms [B, samples]."""
        with torch.no_grad(), precision:
            wavs, lens = wavs.to(device), lens.to(device)
            return encoder.frozen(compute_features(wavs, lens), lens)

    # A generator of its own: nothing is drawn from the global one.
    once = {"generator": torch.Generator(), **loader_kwargs, "shuffle": False}
    stored = store_states(make_dataloader(dataset, **once), states_of)
    return stored, {**loader_kwargs, "num_workers": 0}
