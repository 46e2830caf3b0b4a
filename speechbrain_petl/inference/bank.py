"""AdapterBank: many trained tasks on one backbone."""

import math
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import torch
from speechbrain_petl.artefacts.format import read_metadata
from speechbrain_petl.artefacts.hub import local_artefact
from speechbrain_petl.artefacts.load import Trained, load_backbone, load_trained
from speechbrain_petl.dataio.audio import read_audio
from speechbrain_petl.inference.mixed_batch import (
    Prediction,
    alike,
    classify,
    decide,
)
from speechbrain_petl.inference.windows import WINDOWS_AT_ONCE, cut
from speechbrain_petl.lobes.share import share

from speechbrain.dataio.preprocess import AudioNormalizer


class AdapterBank:
    """Classifies with any number of artefacts of one backbone.

    The backbone's tensors are there once; a task adds what it trained. There
    is no active task to switch: each call names its tasks, each clip of a
    batch its own. The clips of a task run together, whatever its method and
    its number of classes, so that a mixed batch gives what each clip gives
    alone; the front end runs once for tasks that share it.

    Calls may come from several threads, also while tasks are added or
    removed: a call sees the tasks of its beginning. Artefacts are read as
    data, none of their code is run (see ``speechbrain_petl.artefacts.safe_yaml``).

    Arguments
    ---------
    backbone : str, optional
        Folder or hub id to take instead of what the first artefact names.
    device : str
        Where everything is computed.

    Example
    -------
    >>> bank = AdapterBank()
    >>> bank.tasks
    ()
    >>> bank.remove("dogs")
    Traceback (most recent call last):
    ...
    ValueError: There is no task 'dogs' in the bank; its tasks are: none.
    """

    def __init__(self, backbone: str | None = None, device: str = "cpu"):
        self.device = torch.device(device)
        self._source = backbone
        self._stock = None
        self._fingerprint = None
        self._fitted = {}
        self._tasks = {}
        self._lock = threading.RLock()

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks, as they were added."""
        return tuple(self._tasks)

    def __getitem__(self, task: str) -> Trained:
        """The modules and the metadata of a task."""
        return _get(self._tasks, task)

    def add(
        self, task: str, source: str | Path, revision: str | None = None
    ) -> None:
        """Adds an artefact.

        Arguments
        ---------
        task : str
            Its name from now on.
        source : str or Path
            A folder, or an id of the Hugging Face hub.
        revision : str, optional
            Branch, tag or commit on the hub.

        Raises
        ------
        ValueError
            If the name is taken, the artefact is of another backbone or
            sample rate, or it does not load strictly.
        """
        folder = local_artefact(source, revision)
        metadata = read_metadata(folder / "artefact.json")
        with self._lock:
            if task in self._tasks:
                raise ValueError(
                    f"The bank has a task '{task}' already: remove it first, "
                    "or choose another name."
                )
            self._check(task, metadata)
            trained = load_trained(folder, self._stock, self._fit)
            for other in self._tasks.values():
                if alike(other.compute_features, trained.compute_features):
                    trained = trained._replace(
                        compute_features=other.compute_features
                    )
            self._tasks = {**self._tasks, task: trained}

    def _check(self, task, metadata):
        """Refuses what does not go together; loads the backbone at first."""
        found = metadata["backbone"]["fingerprint"]
        if self._stock is None:
            self._stock = load_backbone(metadata, self._source).to(self.device)
            self._fingerprint = found
        if found != self._fingerprint:
            raise ValueError(
                f"'{task}' was trained on another backbone "
                f"('{metadata['backbone']['source']}', fingerprint "
                f"{found[:12]}...) than this bank's "
                f"('{self._stock.source}', {self._fingerprint[:12]}...): use "
                "one bank for each backbone."
            )
        rates = {t.compute_features.sample_rate for t in self._tasks.values()}
        rate = metadata["features"]["sample_rate"]
        if rates - {rate}:
            raise ValueError(
                f"'{task}' reads audio at {rate} Hz, but the bank's other "
                f"tasks at {rates.pop()} Hz: use one bank for each."
            )

    def _fit(self, backbone, max_length, position_embeddings, pooling):
        """Like ``Backbone.refit``; tasks of one clip length share its positions too."""
        key = max_length, position_embeddings
        if key not in self._fitted:
            self._fitted[key] = backbone.refit(
                max_length=max_length, position_embeddings=position_embeddings
            )
        fitted = share(self._fitted[key])
        fitted.pooling = pooling
        return fitted

    def remove(self, task: str) -> None:
        """Removes a task; its tensors go, the backbone stays.

        Raises
        ------
        ValueError
            If there is no such task.
        """
        with self._lock:
            _get(self._tasks, task)
            self._tasks = {k: v for k, v in self._tasks.items() if k != task}

    def n_bytes(self) -> int:
        """Memory of all tensors of the bank, each counted once."""
        tensors = {}
        for trained in self._tasks.values():
            for module in trained[1:]:
                for tensor in [*module.parameters(), *module.buffers()]:
                    storage = tensor.untyped_storage()
                    tensors[storage.data_ptr()] = storage.nbytes()
        return sum(tensors.values())

    @torch.no_grad()
    def classify_batch(
        self,
        wavs: torch.Tensor,
        wav_lens: torch.Tensor | None = None,
        tasks: str | Sequence[str] = (),
    ) -> list[Prediction]:
        """Classifies each clip of a batch by its own task.

        Arguments
        ---------
        wavs : torch.Tensor
            Waveforms [B, samples], zero-padded to the longest.
        wav_lens : torch.Tensor, optional
            Relative lengths [B]; all whole by default.
        tasks : str or sequence of str
            The task of each clip, or one for all.

        Returns
        -------
        list of Prediction
            One for each clip.

        Raises
        ------
        ValueError
            If a task is unknown, or not every clip has one.
        """
        wavs = wavs.to(self.device).float()
        if wav_lens is None:
            wav_lens = torch.ones(len(wavs))
        wav_lens = wav_lens.to(self.device)
        names = [tasks] * len(wavs) if isinstance(tasks, str) else list(tasks)
        if len(names) != len(wavs):
            raise ValueError(
                f"There are {len(wavs)} clips but {len(names)} tasks: name one "
                "for each clip, or one for all."
            )
        tasks = self._tasks
        models = {name: _get(tasks, name) for name in names}
        return classify(models, wavs, wav_lens, names)

    @torch.no_grad()
    def classify_file(
        self, path: str | os.PathLike, tasks: Sequence[str] | None = None
    ) -> list[Prediction]:
        """Classifies an audio file by several tasks, all by default.

        Long clips are cut into windows as in ``PETLClassifier``.

        Returns
        -------
        list of Prediction
            One for each task.

        Raises
        ------
        ValueError
            If the file cannot be read or a task is unknown.
        """
        present = self._tasks
        names = list(present) if tasks is None else list(tasks)
        models = {name: _get(present, name) for name in names}
        if not models:
            return []
        rate = next(iter(models.values())).compute_features.sample_rate
        waveform = read_audio(str(path), AudioNormalizer(rate)).to(self.device)
        predictions = []
        for name, model in models.items():
            windows = cut(waveform, model.compute_features)
            parts = []
            for chunk in windows.split(WINDOWS_AT_ONCE):
                whole = torch.ones(len(chunk), device=self.device)
                parts += classify(models, chunk, whole, [name] * len(chunk))
            posteriors = torch.stack([part.posteriors for part in parts])
            mean = posteriors.logsumexp(dim=0) - math.log(len(windows))
            predictions.append(decide(name, mean, model.labels))
        return predictions


def _get(tasks, name):
    """A task of the bank."""
    if name not in tasks:
        raise ValueError(
            f"There is no task '{name}' in the bank; its tasks are: "
            f"{', '.join(tasks) or 'none'}."
        )
    return tasks[name]
