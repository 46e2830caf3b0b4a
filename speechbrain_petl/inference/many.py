"""Many files at once: read and classified in batches, by several threads."""

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

MOST_WORKERS = 8  # each holds the sounds of a block in memory
READERS = 2  # where a GPU computes: one reads while the other waits for it


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


def classify_files(
    bank: AdapterBank, paths: Iterable[str], at_once: int = WINDOWS_AT_ONCE
) -> Iterator[Answer]:
    """Classifies files by all tasks of a bank, as ``bank.classify_file``.

    Blocks of files are read and classified side by side, by threads that share
    the cores, and the windows of a block share batches. The memory does not
    grow with the number of files, which may come from an endless source; a
    file that fails does not stop the others.

    Arguments
    ---------
    bank : AdapterBank
        The tasks.
    paths : iterable of str
        The files.
    at_once : int
        Files of a block, and windows of a batch.

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

    def answers_of(block: list[str]) -> list[Answer]:
        """Returns the answers of a block."""
        with torch.no_grad(), bank.autocast():
            return _answers_of(bank, models, block, normalizer, at_once)

    names = iter(paths)
    block = list(islice(names, at_once))
    if len(block) < at_once:  # too few to share: one after another, all cores
        yield from answers_of(block)
        return
    threads = torch.get_num_threads()
    on_cpu = torch.device(bank.device).type == "cpu"
    workers = min(MOST_WORKERS, threads) if on_cpu else READERS
    share = max(1, threads // workers)
    waiting: deque[Future[list[Answer]]] = deque()
    try:
        with ThreadPoolExecutor(
            workers, initializer=torch.set_num_threads, initargs=(share,)
        ) as pool:
            try:
                while block or waiting:
                    if block:
                        waiting.append(pool.submit(answers_of, block))
                        block = list(islice(names, at_once))
                    if len(waiting) > workers or not block:
                        yield from waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()
    finally:
        torch.set_num_threads(threads)  # which is also the whole process's


def _answers_of(bank, models, block, normalizer, at_once) -> list[Answer]:
    """Reads files and classifies them together, or else one after another."""
    waves: dict[int, torch.Tensor] = {}
    answers: dict[int, Answer] = {}
    for number, path in enumerate(block):
        try:
            wave = read_audio(str(path), normalizer)
            waves[number] = wave.to(bank.device)
        except Exception as error:  # whatever it is, the next may be fine
            answers[number] = Answer(path, [], error)
    try:
        pending = [(block[number], wave) for number, wave in waves.items()]
        found = _together(models, pending, at_once)
    except Exception:  # such as a GPU without memory: one may still fit
        found = [_alone(bank, block[number]) for number in waves]
    answers |= zip(waves, found, strict=True)
    return [answers[number] for number in range(len(block))]


def _alone(bank, path) -> Answer:
    """Classifies one file by itself."""
    try:
        return Answer(path, bank.classify_file(path))
    except Exception as error:
        return Answer(path, [], error)


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
