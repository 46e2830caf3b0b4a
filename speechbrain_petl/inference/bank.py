"""AdapterBank: many trained tasks on one backbone."""

import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from speechbrain_petl.artefacts.backbones import fingerprint
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.tasks import LABELLED
from speechbrain_petl.artefacts.trained import Trained
from speechbrain_petl.dataio.audio import read_audio
from speechbrain_petl.dataio.windows import average, cut
from speechbrain_petl.inference.mixed_batch import Prediction, classify, decide
from speechbrain_petl.inference.vote import join, members_of
from speechbrain_petl.inference.windows import WINDOWS_AT_ONCE, check_finite
from speechbrain_petl.lobes.backbone import Backbone
from speechbrain_petl.lobes.share import share
from speechbrain_petl.training.precision import best_precision
from speechbrain_petl.utils.messages import printable

from speechbrain.dataio.preprocess import AudioNormalizer
from speechbrain.utils.autocast import AMPConfig, TorchAutocast


class AdapterBank:
    """Classifies with any number of artefacts of one backbone.

    The backbone's tensors are there once; a task adds what it trained. There
    is no active task to switch: each call names its tasks, each clip of a
    batch its own. The clips of a task run together, whatever its method and
    its number of classes, so that a mixed batch gives what each clip gives
    alone; the front end runs once for tasks that share it.

    Calls may come from several threads, also while tasks are added or
    removed: a call sees the tasks that were there when it began. Artefacts
    are read as data, none of their code is run (see ``artefacts.safe_yaml``).

    Arguments
    ---------
    backbone : str or Backbone, optional
        Folder or hub id to take instead of what the first artefact names, or
        a loaded backbone, whose tensors are shared.
    device : str
        Where everything is computed.
    fetch : bool, optional
        If True, lets a backbone that an artefact names be fetched from the
        hub. By default only an artefact of the hub may.
    precision : str
        ``fp32``, ``bf16`` or ``fp16``, as SpeechBrain's; ``auto`` is bf16
        where the device has it in hardware. Features, softmax and what is
        returned are float32 in all of them.

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

    def __init__(
        self,
        backbone: str | Backbone | None = None,
        device: str = "cpu",
        fetch: bool | None = None,
        precision: str = "fp32",
    ):
        self.device = torch.device(device)
        self._source = backbone
        self._fetch = fetch
        self._stock: Backbone | None = None
        self._fingerprint = ""
        self._fitted: dict[tuple, Backbone] = {}
        self._tasks: dict[str, Trained] = {}
        self._lock = threading.RLock()
        if precision == "auto":
            precision = best_precision(self.device)
        self._dtype = AMPConfig.from_name(precision).dtype

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks, as they were added."""
        return tuple(self._tasks)

    def __getitem__(self, task: str) -> Trained:
        """Returns the modules and the metadata of a task."""
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
            A folder, or an id of the Hugging Face hub. Of a folder with
            several artefacts side by side, the average of their
            probabilities decides (see ``inference.vote``).
        revision : str, optional
            Branch, tag or commit on the hub.

        Raises
        ------
        ValueError
            If the name is taken, the artefact is of another backbone or
            sample rate, it does not load strictly, or loading it changed the
            backbone that the other tasks share.
        """
        sources: list[str | Path] = [*members_of(source)] or [source]
        artefacts = [Artefact.open(one, revision) for one in sources]
        for artefact in artefacts:
            artefact.require(*LABELLED)
        with self._lock:
            if task in self._tasks:
                raise ValueError(
                    f"The bank has a task '{printable(task)}' already: remove it first, "
                    "or choose another name."
                )
            try:
                members = [self._load(task, one) for one in artefacts]
                trained = (
                    join(members, source) if len(members) > 1 else members[0]
                )
            except Exception:
                if not self._tasks:  # what was not added leaves nothing
                    self._stock, self._fitted = None, {}
                raise
            for other in self._tasks.values():
                if other.compute_features.alike(trained.compute_features):
                    trained = replace(
                        trained, compute_features=other.compute_features
                    )
            self._tasks = {**self._tasks, task: trained}

    def _load(self, task: str, artefact: Artefact) -> Trained:
        """Loads an artefact onto the backbone that all share."""
        stock = self._shared(task, artefact)
        trained = artefact.load(stock, self._fit)
        expected = artefact.metadata["backbone"]["fingerprint"]
        self._check_stock(task, stock, expected)
        self._stock, self._fingerprint = stock, expected
        return trained

    def _shared(self, task: str, artefact: Artefact) -> Backbone:
        """Returns the backbone for an artefact: the bank's, if it has one."""
        recorded = artefact.metadata["backbone"]
        found = recorded["fingerprint"]
        if self._stock is None:
            stock = artefact.backbone(self._source, self._fetch)
            return stock.to(self.device)
        if found != self._fingerprint:
            raise ValueError(
                f"'{printable(task)}' was trained on another backbone "
                f"('{printable(recorded['source'])}', fingerprint "
                f"{found[:12]}...) than this bank's "
                f"('{printable(self._stock.source)}', "
                f"{self._fingerprint[:12]}...): use one bank for each backbone."
            )
        rates = {
            t.metadata["features"]["sample_rate"] for t in self._tasks.values()
        }
        rate = artefact.metadata["features"]["sample_rate"]
        if rates - {rate}:
            raise ValueError(
                f"'{printable(task)}' reads audio at {rate} Hz, but the bank's "
                f"other tasks at {rates.pop()} Hz: use one bank for each."
            )
        return self._stock

    def _check_stock(self, task: str, stock: Backbone, expected: str) -> None:
        """Drops all tasks if loading one changed the shared backbone."""
        if fingerprint(stock) != expected:
            self._stock, self._tasks, self._fitted = None, {}, {}
            raise ValueError(
                f"Loading '{printable(task)}' changed the weights of the "
                "backbone that all tasks share, so the bank gave up all its "
                "tasks: add the others again, and load this one by itself."
            )

    def _fit(self, backbone: Backbone, **options: Any) -> Backbone:
        """Like ``Backbone.refit``, but tasks of the same options share it."""
        key = tuple(sorted(options.items()))
        if key not in self._fitted:
            self._fitted[key] = backbone.refit(**options)
        return share(self._fitted[key])

    def autocast(self) -> TorchAutocast:
        """Returns a context in which models have the bank's precision.

        A new one each time: it keeps what was before, which may differ from
        thread to thread.
        """
        return TorchAutocast(device_type=self.device.type, dtype=self._dtype)

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
        """Returns the bytes of all tensors of the bank, each counted once."""
        tensors = {}
        for trained in self._tasks.values():
            for module in (trained.encoder, trained.classifier):
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
            If a task is unknown, not every clip has one, or an output is not
            finite.
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
        present = self._tasks
        models = {name: _get(present, name) for name in names}
        with self.autocast():
            found = classify(models, wavs, wav_lens, names)
        for row, one in enumerate(found):
            check_finite(
                one.posteriors,
                f"clip {row} of the batch, by task '{printable(one.task)}',",
            )
        return found

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
            If the file cannot be read, a task is unknown, or an output is not
            finite.
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
                with self.autocast():
                    parts += classify(models, chunk, whole, [name] * len(chunk))
            posteriors = torch.stack([part.posteriors for part in parts])
            check_finite(posteriors, f"'{printable(path)}'")
            predictions.append(decide(name, average(posteriors), model))
        return predictions


def _get(tasks, name):
    """Returns a task of the bank."""
    if name not in tasks:
        raise ValueError(
            f"There is no task '{printable(name)}' in the bank; its tasks are: "
            f"{', '.join(map(printable, tasks)) or 'none'}."
        )
    return tasks[name]
