"""Classifies by a bank in ONNX: one model, and a small file for each task.

Needs onnxruntime and NumPy, neither torch nor SpeechBrain. A task's file has
the tensors that its training changed; they stand for those of the model for
one call (onnxruntime's adapters), so that nothing is loaded when tasks change.
``onnx_bank_export`` writes the folder.
"""

import contextlib
import ctypes
import json
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from speechbrain_petl.utils.optional import require

MODEL, INDEX, ENDING = "backbone.onnx", "bank.json", ".onnx_adapter"
VERSION = 1
NAME = re.compile(r"\w[\w.-]{0,99}")  # of a task, and of its file


class OnnxBank:
    """A folder that ``export-bank`` wrote, ready to classify.

    Arguments
    ---------
    folder : str or Path
        The folder.
    threads : int
        Threads of one call; 0 lets onnxruntime choose.

    Raises
    ------
    ValueError
        If the folder holds no bank, or one of another version.
    """

    def __init__(self, folder: str | Path, threads: int = 0):
        self._runtime: Any = require("onnxruntime", "export", "A bank in ONNX")
        self.folder = Path(folder)
        try:
            index = json.loads((self.folder / INDEX).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(
                f"'{folder}' is no bank in ONNX: give the folder that "
                f"'speechbrain-petl export-bank' wrote. ({error})"
            ) from error
        if index.get("version") != VERSION:
            raise ValueError(
                f"'{folder}' is a bank of version {index.get('version')}, and "
                f"this reads version {VERSION}: export it anew."
            )
        bad = [name for name in index["tasks"] if not NAME.fullmatch(name)]
        if bad:
            raise ValueError(
                f"'{folder}' has a task whose name is no file's: export it "
                "anew."
            )
        self.sample_rate: int = index["sample_rate"]
        self.samples: int = index["samples"]
        self._tasks: dict[str, list[str]] = index["tasks"]
        self._adapters: dict[str, Any] = {}
        self._lock = threading.Lock()
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = threads
        # Errors alone: it warns of each tensor that a task may replace.
        options.log_severity_level = 3
        self._session = self._runtime.InferenceSession(
            str(self.folder / MODEL),
            options,
            providers=["CPUExecutionProvider"],
        )
        give_back_memory()

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks."""
        return tuple(self._tasks)

    def labels(self, task: str) -> list[str]:
        """Returns the labels of a task in the order of its logits.

        Raises
        ------
        ValueError
            If there is no such task.
        """
        if task not in self._tasks:
            raise ValueError(
                f"There is no task '{task}' in this bank; its tasks are: "
                f"{', '.join(self._tasks)}."
            )
        return self._tasks[task]

    def logits(self, task: str, wavs: Any, lens: Any) -> Any:
        """Computes the logits of clips by a task.

        Arguments
        ---------
        task : str
            Name of the task.
        wavs : numpy.ndarray
            Waveforms [B, ``samples``] in float32, zero-padded, of
            ``sample_rate``.
        lens : numpy.ndarray
            Share of each [B], in float32, that is audio.

        Returns
        -------
        numpy.ndarray
            Logits [B, classes].
        """
        options = self._runtime.RunOptions()
        options.add_active_adapter(self._adapter(task))
        feeds = {"wavs": wavs, "lens": lens}
        return self._session.run(["logits"], feeds, options)[0]

    def classify(self, wavs: Any, lens: Any, tasks: Sequence[str]) -> list[str]:
        """Returns the label of each clip, by the task that is named for it."""
        found = []
        for row, task in enumerate(tasks):
            one = slice(row, row + 1)
            best = self.logits(task, wavs[one], lens[one])[0].argmax()
            found.append(self.labels(task)[int(best)])
        return found

    def _adapter(self, task: str) -> Any:
        """Returns a task's tensors, read when they are first wanted."""
        self.labels(task)
        with self._lock:
            if task not in self._adapters:
                adapter = self._runtime.LoraAdapter()
                adapter.Load(str(self.folder / f"{task}{ENDING}"))
                self._adapters[task] = adapter
            return self._adapters[task]


def give_back_memory() -> None:
    """Returns freed memory to the system, where the C library is glibc.

    Reading a model leaves as much of it as the model is large.
    """
    with contextlib.suppress(AttributeError):  # other libraries have it not
        ctypes.CDLL(None).malloc_trim(0)
