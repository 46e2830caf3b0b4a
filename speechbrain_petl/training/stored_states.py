"""States of clips, computed once by the frozen part of a model and kept.

See ``speechbrain_petl.lobes.split_encoder`` for what they are.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch
from speechbrain_petl.lobes.front_end import FrontEnd
from speechbrain_petl.lobes.split_encoder import SplitEncoder
from speechbrain_petl.training.windows import AT_ONCE, pad_windows, windows_of
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
    states_of: Callable[[torch.Tensor, torch.Tensor], Iterable[torch.Tensor]],
) -> DynamicItemDataset:
    """Runs the frozen part over a dataset.

    Arguments
    ---------
    loader : iterable of PaddedBatch
        Batches with ``id``, ``sig`` and ``target``.
    states_of : callable
        Gives the states of each clip, [d], or [n, d] of its windows, of
        waveforms [B, samples] and their relative lengths [B].

    Returns
    -------
    DynamicItemDataset
        Gives ``id``, ``states`` and ``target``, in the loader's order.
    """
    entries = {}
    for batch in loader:
        for id_, row, target in zip(
            batch.id, states_of(*batch.sig), batch.target.data, strict=True
        ):
            states = row.float().cpu().clone()
            several = target.dim() > 0
            entries[id_] = {
                "states": states,
                "target": target.clone() if several else int(target),
            }
    return DynamicItemDataset(entries, output_keys=["id", "states", "target"])


def store_dataset(
    dataset: DynamicItemDataset,
    loader_kwargs: Mapping[str, Any],
    compute_features: FrontEnd,
    encoder: SplitEncoder,
    device: str,
    precision: AbstractContextManager,
    windows: bool = False,
) -> tuple[DynamicItemDataset, dict[str, Any]]:
    """Runs front end and frozen part over a dataset.

    Arguments
    ---------
    dataset : DynamicItemDataset
        Gives ``id``, ``sig`` and ``target``.
    loader_kwargs : mapping
        Arguments of its loader.
    compute_features : FrontEnd
        Front end.
    encoder : SplitEncoder
        Model whose frozen part runs.
    device : str
        Device that it runs on.
    precision : context manager
        Precision that it runs in.
    windows : bool
        If True, clips are read by windows, as in evaluation.

    Returns
    -------
    dataset : DynamicItemDataset
        Gives ``id``, ``states`` ([d], or [n, d] of windows) and ``target``.
    loader_kwargs : dict
        Arguments of its loader: no workers, as there is nothing to read.
    """

    def states_of(wavs, lens):
        """Returns the states [B, d] of waveforms [B, samples]."""
        with torch.no_grad(), precision:
            wavs, lens = wavs.to(device), lens.to(device)
            return encoder.frozen(compute_features(wavs, lens), lens)

    def states_of_windows(wavs, lens):
        """Returns the states [n, d] of the windows of each clip."""
        clips = windows_of(wavs, lens, compute_features)
        wavs, lens = pad_windows(clips)
        states = [
            states_of(some, some_lens)
            for some, some_lens in zip(wavs.split(AT_ONCE), lens.split(AT_ONCE))
        ]
        return torch.cat(states).split([len(clip) for clip in clips])

    # A generator of its own: nothing is drawn from the global one.
    once = {"generator": torch.Generator(), **loader_kwargs, "shuffle": False}
    stored = store_states(
        make_dataloader(dataset, **once),
        states_of_windows if windows else states_of,
    )
    return stored, {**loader_kwargs, "num_workers": 0}
