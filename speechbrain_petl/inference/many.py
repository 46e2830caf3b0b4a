"""Many files at once: read by threads ahead, classified in batches."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

import torch
from speechbrain_petl.dataio.audio import read_audio
from speechbrain_petl.dataio.windows import average, cut
from speechbrain_petl.inference.bank import AdapterBank
from speechbrain_petl.inference.mixed_batch import Prediction, classify, decide
from speechbrain_petl.inference.windows import WINDOWS_AT_ONCE, check_finite
from speechbrain_petl.training.windows import pad_windows
from speechbrain_petl.utils.messages import printable

from speechbrain.dataio.preprocess import AudioNormalizer

READERS = 2
AHEAD = 32  # files that are read before they are needed


class Answer(NamedTuple):
    """What is found of a file.

    Arguments
    ---------
    path : str
        The file.
    predictions : list of Prediction
        One for each task; empty if it failed.
    error : Exception or None
        Why it failed.
    """

    path: str
    predictions: list[Prediction]
    error: Exception | None = None


@torch.no_grad()
def classify_files(
    bank: AdapterBank, paths: Iterable[str], at_once: int = WINDOWS_AT_ONCE
) -> Iterator[Answer]:
    """Classifies files by all tasks of a bank, as ``bank.classify_file``.

    Windows of several files share a batch. The memory does not grow with the
    number of files, which may come from an endless source; a file that fails
    does not stop the others.

    Arguments
    ---------
    bank : AdapterBank
        The tasks.
    paths : iterable of str
        The files.
    at_once : int
        Windows of a batch.

    Yields
    ------
    Answer
        One for each file, in their order.
    """
    models = {name: bank[name] for name in bank.tasks}
    if not models:
        return
    rate = next(iter(models.values())).compute_features.sample_rate
    normalizer = AudioNormalizer(rate)
    pending: list[tuple[str, torch.Tensor]] = []
    for path, read in _ahead(iter(paths), normalizer):
        try:
            pending.append((path, read.result().to(bank.device)))
        except Exception as error:  # whatever it is, the next may be fine
            yield from _flush(bank, models, pending, at_once)
            pending = []
            yield Answer(path, [], error)
            continue
        if len(pending) >= at_once:
            yield from _flush(bank, models, pending, at_once)
            pending = []
    yield from _flush(bank, models, pending, at_once)


def _ahead(paths, normalizer) -> Iterator[tuple[str, Future]]:
    """Yields files and their waveforms, a number of them read ahead."""
    waiting: deque[tuple[str, Future]] = deque()
    with ThreadPoolExecutor(READERS) as pool:

        def read(path):
            """Begins to read a file."""
            return path, pool.submit(read_audio, str(path), normalizer)

        try:
            waiting.extend(read(path) for path in islice(paths, AHEAD))
            while waiting:
                yield waiting.popleft()
                waiting.extend(read(path) for path in islice(paths, 1))
        finally:
            for _, future in waiting:
                future.cancel()


def _flush(bank, models, pending, at_once) -> Iterator[Answer]:
    """Classifies what was read together, or else one after another."""
    if not pending:
        return
    try:
        answers = _together(models, pending, at_once)
    except Exception:  # such as a GPU without memory: one may still fit
        for path, _ in pending:
            try:
                yield Answer(path, bank.classify_file(path))
            except Exception as error:
                yield Answer(path, [], error)
    else:
        yield from answers


def _together(models, pending, at_once) -> list[Answer]:
    """Classifies waveforms, the windows of all of them in batches."""
    found: list[list[Prediction]] = [[] for _ in pending]
    errors: list[Exception | None] = [None] * len(pending)
    for name, model in models.items():
        clips = [cut(wave, model.compute_features) for _, wave in pending]
        rows = _posteriors(name, model, clips, at_once)
        for number, posteriors in enumerate(rows):
            path = pending[number][0]
            try:
                check_finite(posteriors, f"'{printable(path)}'")
            except ValueError as error:
                errors[number] = error
                continue
            one = decide(name, average(posteriors), model)
            found[number].append(one)
    return [
        Answer(path, [] if error else predictions, error)
        for (path, _), predictions, error in zip(pending, found, errors)
    ]


def _posteriors(
    name: str, model, clips: Sequence[torch.Tensor], at_once: int
) -> list[torch.Tensor]:
    """Returns log posteriors [n, classes] of the windows of each clip."""
    windows = [window for clip in clips for window in clip]
    # Windows of one length share a batch, so that little of it is padding.
    order = sorted(range(len(windows)), key=lambda i: len(windows[i]))
    rows: dict[int, torch.Tensor] = {}
    for begin in range(0, len(order), at_once):
        some = order[begin : begin + at_once]
        wavs, lens = pad_windows([windows[i].unsqueeze(0) for i in some])
        parts = classify({name: model}, wavs, lens, [name] * len(some))
        rows.update(zip(some, (part.posteriors for part in parts)))
    joined = torch.stack([rows[i] for i in range(len(windows))])
    return list(joined.split([len(clip) for clip in clips]))
