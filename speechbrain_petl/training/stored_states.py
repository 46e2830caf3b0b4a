"""States of clips, computed once by the frozen part of a model and kept.

See ``speechbrain_petl.lobes.split_encoder`` for what they are, and
``speechbrain_petl.dataio.state_cache`` for where.
"""

import logging
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import torch
from speechbrain_petl.dataio.state_cache import StateCache
from speechbrain_petl.lobes.backbone import Backbone
from speechbrain_petl.lobes.clips import count_samples
from speechbrain_petl.lobes.fingerprint import fingerprint
from speechbrain_petl.lobes.split_encoder import SplitEncoder
from speechbrain_petl.training.stored_dataset import (
    StoredDataset,
    clip_keys,
    describe,
    digest,
)
from speechbrain_petl.training.stored_options import DTYPES, Options
from speechbrain_petl.training.windows import AT_ONCE, pad_windows, windows_of
from speechbrain_petl.utils.versions import versions
from torch import nn

from speechbrain.dataio.dataloader import make_dataloader
from speechbrain.dataio.dataset import (
    DynamicItemDataset,
    FilteredSortedDynamicItemDataset,
)

logger = logging.getLogger(__name__)

TRIES = 8  # a mask may be of no width, or of the whole clip
LONG = 3  # clips, one behind the other, of which a random part may be taken
# Largest deviation of stored states' embeddings, relative to their norm.
TOLERANCE = {"fp32": 0.02, "bf16": 0.1}


class StateStore:
    """Gives datasets of states in place of datasets of waveforms.

    Arguments
    ---------
    options : Options
        What to store.
    encoder : SplitEncoder
        Model whose frozen part runs.
    compute_features : torch.nn.Module
        Front end.
    augment : torch.nn.Module
        Augmentation of features [B, mel, frame], in training.
    backbone : Backbone
        What the model was made from.
    data_folder : str
        Folder of the corpus.
    device : str
        Where the frozen part runs.
    """

    def __init__(
        self,
        options: Options,
        encoder: SplitEncoder,
        compute_features: nn.Module,
        augment: nn.Module,
        backbone: Backbone,
        data_folder: str,
        device: str,
    ):
        self.options = options
        self.encoder = encoder
        self.compute_features = compute_features
        self.augment = augment
        self.folder = str(data_folder)
        self.device = device
        fitted = {k: v for k, v in backbone.options().items() if k != "pooling"}
        here = versions()
        self.kind = {
            "backbone": fingerprint(backbone),
            "fitted": fitted,
            "front end": describe(compute_features),
            "cut": encoder.cut.name,
            "stored": options.precision,
            "versions": {p: here[p] for p in ("torch", "transformers")},
        }
        self.draws: int | None = None  # of the training clips, once stored
        self._varies: dict[bool, bool] = {}
        self._checked = False

    def varies(self, training: bool) -> bool:
        """Returns True if the input of a clip differs from call to call.

        Tried on a random clip, longer than what the front end reads. The
        global random numbers stay as they are.
        """
        self._set_mode(training)
        with _seeded(0):
            n_samples = LONG * self.compute_features.clip_samples
            wav = torch.rand(1, n_samples, device="cpu") - 0.5
        moved = wav.to(self.device), torch.ones(1, device=self.device)
        found = []
        for seed in range(TRIES if training else 2):
            with _seeded(seed), torch.no_grad():
                found.append(self.inputs(*moved, training)[0])
            if not torch.equal(found[0], found[-1]):
                return True
        return False

    def inputs(
        self, wavs: torch.Tensor, lens: torch.Tensor, training: bool
    ) -> tuple[torch.Tensor, list[int]]:
        """Computes what the encoder reads of clips.

        Arguments
        ---------
        wavs : torch.Tensor
            Waveforms [B, samples].
        lens : torch.Tensor
            Relative lengths [B].
        training : bool
            If True, a clip is augmented; if False, it is read by windows.

        Returns
        -------
        feats : torch.Tensor
            The encoder's input [N, ...], clip after clip.
        numbers : list of int
            Number of windows of each clip, 1 in training.
        """
        if training:
            feats = self.compute_features(wavs, lens)
            return self.augment(feats.mT).mT, [1] * len(wavs)
        clips = windows_of(wavs, lens, self.compute_features)
        wavs, lens = pad_windows(clips)
        feats = [
            self.compute_features(some, some_lens)
            for some, some_lens in zip(wavs.split(AT_ONCE), lens.split(AT_ONCE))
        ]
        return torch.cat(feats), [len(clip) for clip in clips]

    def _set_mode(self, training):
        """Sets front end and augmentation; the encoder is in eval mode."""
        self.compute_features.train(training)
        self.augment.train(training)
        self.encoder.eval()

    def replace(
        self,
        dataset: DynamicItemDataset,
        loader_kwargs: Mapping[str, Any],
        context: Any,
        precision: str,
        training: bool,
    ) -> tuple[DynamicItemDataset, dict[str, Any]] | None:
        """Stores the states of a dataset.

        Arguments
        ---------
        dataset : DynamicItemDataset
            Gives ``sig`` and what else a batch needs; its entries have
            ``wav``.
        loader_kwargs : mapping
            Arguments of its loader.
        context : context manager
            Precision to compute in.
        precision : str
            Its name.
        training : bool
            If True, clips are augmented.

        Returns
        -------
        tuple or None
            A dataset that gives ``states`` in place of ``sig``, and the
            arguments of its loader: no workers, as there is nothing to
            decode. None if clips vary and no number of draws is given.

        Raises
        ------
        ValueError
            If entries have no ``wav``, a number of draws has no effect, or
            the states do not give what the model gives.
        """
        draws, kind = None, {**self.kind, "computed": precision}
        if training not in self._varies:
            self._varies[training] = self.varies(training)
        varies = self._varies[training]
        if training and self.options.draws is not None and not varies:
            raise ValueError(
                f"stored_draws is {self.options.draws}, but training clips are "
                "not augmented, so that all draws are the same: set it to null."
            )
        if varies:
            draws = self.options.draws if training else None
            if draws is None:
                return None
            kind["augmentation"] = describe(self.augment)
        clips = clip_keys(dataset, self.folder)
        names = {
            f"{key}-{draw}" if draws else key: (id_, draw)
            for id_, key in clips.items()
            for draw in range(draws or 1)
        }
        cache = StateCache(kind, self.options.max_gb)
        self._set_mode(training)

        def compute(keys: list[str]) -> Iterator[tuple[str, torch.Tensor]]:
            rows = [names[key] for key in keys]
            loader = _loader(dataset, [id_ for id_, _ in rows], loader_kwargs)
            done = 0
            for batch in loader:
                part = keys[done : done + len(batch.id)]
                yield from self._states(batch, part, context, training, draws)
                done += len(part)

        suffix = "" if draws else suffix_of(training)
        n_new = cache.fill(list(names), compute, suffix)
        logger.info(
            "States of %s clips at the cut '%s': %s computed, %s found.",
            f"{len(names):,}",
            self.encoder.cut.name,
            f"{n_new:,}",
            f"{len(names) - n_new:,}",
        )
        if training:
            self.draws = draws or 1
        stored = StoredDataset(
            dataset, clips, partial(_read, cache, suffix, training), draws
        )
        return stored, {**loader_kwargs, "num_workers": 0}

    def _states(self, batch, keys, context, training, draws):
        """Yields names and states [n, ...] of a batch's clips, on the CPU."""
        wavs, lens = (x.to(self.device) for x in batch.sig)
        n_samples = count_samples(wavs, lens).tolist()
        with torch.no_grad():
            if draws:
                rows = []
                for row, key in enumerate(keys):
                    with _seeded(int(digest(key)[:12], 16)):
                        one = wavs[row : row + 1, : n_samples[row]]
                        rows += [self.inputs(one, lens.new_ones(1), True)[0]]
                inputs, numbers = torch.cat(rows), [1] * len(rows)
            else:
                self._set_mode(training)
                inputs, numbers = self.inputs(wavs, lens, training)
            with context:
                states = [self.encoder.frozen(x) for x in inputs.split(AT_ONCE)]
                stored = torch.cat(states)
                stored = stored.to(DTYPES[self.options.precision])
                self._check(inputs, stored)
        whole = self.compute_features.clip_samples
        for key, clip, size in zip(
            keys, stored.cpu().split(numbers), n_samples
        ):
            # What the front end reads whole is the same in any stage.
            same = draws or size <= whole
            name = key if same else key + suffix_of(training)
            yield name, clip.clone()

    def _check(self, inputs, stored):
        """Compares a clip's embedding from its states with the model's."""
        if self._checked:
            return
        self._checked = True
        whole = self.encoder(inputs[:1]).float()
        again = self.encoder(stored[:1], stored=True).float()
        error = (whole - again).norm() / whole.norm().clamp_min(1e-6)
        if not error < TOLERANCE[self.options.precision]:
            raise ValueError(
                f"The states at the cut '{self.encoder.cut.name}' do not give "
                f"what the model gives (relative error {float(error):.2g}): "
                "something behind the cut reads what comes before it, so set "
                "stored_states to null."
            )

    def record(self) -> dict[str, Any]:
        """Returns what results say of the states."""
        return {
            "precision": self.options.precision,
            "cut": self.encoder.cut.name,
            "draws": self.draws,
        }


def suffix_of(training: bool) -> str:
    """Returns the end of a key, of clips that stages read differently."""
    return "-training" if training else "-windows"


def _read(cache, suffix, training, key):
    """Returns states: one of a clip in training, else those of its windows."""
    states = cache.read(key, key + suffix)
    return states[0] if training else states


def _loader(dataset, ids, loader_kwargs):
    """Returns a loader of some clips, in this order."""
    data = FilteredSortedDynamicItemDataset(dataset, ids)
    names = {
        k: v for k, v in data.pipeline.output_mapping.items() if k == "sig"
    }
    data.set_output_keys({"id": "id", **names})
    kept = ("batch_size", "num_workers", "multiprocessing_context")
    options = {k: v for k, v in loader_kwargs.items() if k in kept}
    # A generator of its own: nothing is drawn from the global one.
    return make_dataloader(data, generator=torch.Generator(), **options)


class _seeded:
    """Seeds the random numbers inside, and restores them."""

    def __init__(self, seed: int):
        self.seed = seed
        self._fork: Any = None

    def __enter__(self):
        """Forks the generators."""
        self._fork = torch.random.fork_rng()
        self._fork.__enter__()
        torch.manual_seed(self.seed)

    def __exit__(self, *error):
        """Restores them."""
        self._fork.__exit__(*error)
