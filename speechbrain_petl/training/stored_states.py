"""Embeddings computed once, where all that trains lies behind them.

In the order of execution, all that comes before the first trained tensor
gives the same for a clip at each epoch. Where that tensor is one of the final
LayerNorm's or the head's, one vector a clip says all that the rest needs to
know. A pooling is a mean over tokens t, and the LayerNorm's weight and bias
are the same for all of them:

    mean_t(weight * n_t + bias) = weight * mean_t(n_t) + bias

with n_t a token's state, normalised. So ``states``, the pooled n_t, are
stored, and losses, gradients and updates are those of the whole model, but
for rounding.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch
from speechbrain_petl.lobes.petl import PETLModel
from torch import nn
from torch.func import functional_call

from speechbrain.dataio.dataloader import make_dataloader
from speechbrain.dataio.dataset import DynamicItemDataset

FINAL = ("norm_final.weight", "norm_final.bias")


class SplitEncoder(nn.Module):
    """A model whose frozen part may run beforehand.

    Arguments
    ---------
    encoder : PETLModel
        The model.
    cache : bool
        Whether its frozen part shall run once a clip. Then nothing of it may
        train but its final LayerNorm. Without, this is the model as it is.

    Raises
    ------
    ValueError
        If something else trains, naming it.

    Example
    -------
    >>> from transformers import ASTConfig, ASTModel
    >>> from speechbrain_petl.lobes.ast import AST
    >>> folder = getfixture("tmpdir").join("ast")
    >>> config = ASTConfig(hidden_size=48, num_hidden_layers=1, max_length=64)
    >>> ASTModel(config).save_pretrained(folder)
    >>> model = PETLModel(AST(str(folder)), unfrozen=["norm_final"])
    >>> split, feats = SplitEncoder(model, cache=True), torch.rand(2, 64, 128)
    >>> states = split.frozen(feats)
    >>> states.shape, states.requires_grad
    (torch.Size([2, 48]), False)
    >>> torch.allclose(split(states), model(feats), atol=1e-5)
    True
    """

    def __init__(self, encoder: PETLModel, cache: bool = False):
        super().__init__()
        self.encoder = encoder
        self.cache = cache
        if not cache:
            return
        inside = sorted(encoder.delta().keys() - set(FINAL))
        if inside:
            raise ValueError(
                "Embeddings can be computed once only where nothing but the "
                f"final LayerNorm and the head trains, but '{inside[0]}' "
                f"and {len(inside) - 1} more tensors do: "
                "set cache_embeddings to False."
            )
        tensors = encoder.named_tensors()
        paths = {id(p): path for path, p in self.named_parameters()}
        self._paths = [paths[id(tensors[name])] for name in FINAL]

    @torch.no_grad()
    def frozen(self, feats: torch.Tensor) -> torch.Tensor:
        """States [B, d] of features [B, frames, mels]."""
        weight, bias = map(self.get_parameter, self._paths)
        plain = (torch.ones_like(weight), torch.zeros_like(bias))
        plain = dict(zip(self._paths, plain, strict=True))
        return functional_call(self, plain, (feats,))

    def forward(self, inputs: torch.Tensor, lens=None) -> torch.Tensor:
        """Embeddings [B, d] of features [B, frames, mels] or states [B, d]."""
        if inputs.dim() > 2:
            return self.encoder(inputs, lens)
        weight, bias = map(self.get_parameter, self._paths)
        return inputs * weight + bias

    def count_parameters(self) -> dict[str, int]:
        """The model's."""
        return self.encoder.count_parameters()


def varies(augment: nn.Module) -> bool:
    """Whether an augmentation changes features [B, mel, frame].

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
            feats = compute_features(wavs.to(device), lens.to(device))
            return encoder.frozen(feats)

    # A generator of its own: nothing is drawn from the global one.
    once = {"generator": torch.Generator(), **loader_kwargs, "shuffle": False}
    stored = store_states(make_dataloader(dataset, **once), states_of)
    return stored, {**loader_kwargs, "num_workers": 0}
