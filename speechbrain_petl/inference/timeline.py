"""What is heard when: a long recording, window by window."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import soundfile
import torch
from speechbrain_petl.dataio.audio import read_audio
from speechbrain_petl.inference.bank import AdapterBank
from speechbrain_petl.inference.windows import WINDOWS_AT_ONCE
from speechbrain_petl.utils.spectrogram import RANGE_DB, spectrogram

from speechbrain.dataio.preprocess import AudioNormalizer

COLUMNS = 1200  # of the picture of a whole recording
ROWS = 128
CHUNK = 4 * WINDOWS_AT_ONCE  # windows that are read at once


@dataclass(frozen=True)
class Span:
    """A part of a recording in which a label is heard: a window, or several.

    Arguments
    ---------
    task : str
        Name of the task.
    start, end : float
        In seconds.
    label : str
        The label.
    probability : float
        The highest of its windows.
    """

    task: str
    start: float
    end: float
    label: str
    probability: float


class Recording:
    """A recording that is read and classified in bounded memory.

    Arguments
    ---------
    path : str
        Audio file of any length.
    bank : AdapterBank
        The tasks.
    hop : float, optional
        Seconds from one window to the next; half a window by default.
    window : float, optional
        Seconds of a window, at most what the first task reads.
    tasks : sequence of str, optional
        Which tasks of the bank; all by default.
    name : str, optional
        What the files on it call it; the path by default.

    Raises
    ------
    ValueError
        If the file cannot be read, or a number cannot be meant.
    """

    def __init__(
        self,
        path: str,
        bank: AdapterBank,
        hop: float | None = None,
        window: float | None = None,
        tasks: Sequence[str] | None = None,
        name: str | None = None,
    ):
        self.path, self.bank = str(path), bank
        self.name = self.path if name is None else name
        self.tasks = bank.tasks if tasks is None else tuple(tasks)
        front_end = bank[self.tasks[0]].compute_features
        self.rate = front_end.sample_rate
        longest = front_end.clip_samples / self.rate
        self.window = min(window or longest, longest)
        self.hop = hop or self.window / 2
        if not (self.window > 0 and 0 < self.hop <= self.window):
            raise ValueError(
                f"window is {self.window:g} s and hop is {self.hop:g} s: give "
                "positive numbers, of which the hop is not the larger."
            )
        try:
            info = soundfile.info(self.path)
        except (RuntimeError, OSError):  # which says what is wrong with it
            read_audio(self.path, AudioNormalizer(self.rate))
            raise
        self.duration = info.frames / info.samplerate
        self._frames, self._rate = info.frames, info.samplerate
        #: Picture of what was read so far, see ``utils.spectrogram``.
        self.picture = np.full((ROWS, COLUMNS), -RANGE_DB)
        self._loudest = -np.inf

    def starts(self) -> list[int]:
        """Returns the first sample of each window, at the file's own rate.

        They are a hop apart; the last window ends with the recording.
        """
        size, hop = (round(x * self._rate) for x in (self.window, self.hop))
        last = max(0, self._frames - size)
        found = list(range(0, last + 1, max(1, hop)))
        return found if found[-1] == last else [*found, last]

    def windows(self) -> Iterator[Span]:
        """Yields what each task says of each window, in their order.

        A tagger may say several labels of a window, or none.

        Raises
        ------
        ValueError
            If the file cannot be read to its end, or an output is not finite.
        """
        starts, size = self.starts(), round(self.window * self._rate)
        normalizer = AudioNormalizer(self.rate)
        for begin in range(0, len(starts), CHUNK):
            some = starts[begin : begin + CHUNK]
            stop = min(some[-1] + size, self._frames)
            wave = read_audio(self.path, normalizer, some[0], stop)
            self._draw(wave.numpy(), some[0] / self._rate)
            step = self.rate / self._rate
            offsets = [round((s - some[0]) * step) for s in some]
            length = round(size * step)
            parts = [wave[o : o + length] for o in offsets]
            yield from self._classify(parts, some)

    def _classify(self, parts, starts):
        """Yields what each task says of windows of about one length."""
        for begin in range(0, len(parts), WINDOWS_AT_ONCE):
            some = parts[begin : begin + WINDOWS_AT_ONCE]
            batch = torch.nn.utils.rnn.pad_sequence(some, batch_first=True)
            lens = torch.tensor([len(p) / batch.shape[1] for p in some])
            found = {
                task: self.bank.classify_batch(batch, lens, task)
                for task in self.tasks
            }
            for number in range(len(some)):
                start = starts[begin + number] / self._rate
                end = min(start + self.window, self.duration)
                for task, predictions in found.items():
                    one, labels = predictions[number], self.bank[task].labels
                    for i in one.given:
                        p = float(one.posteriors[i].exp())
                        yield Span(task, start, end, labels[i], p)

    def spans(
        self, threshold: float | None = None, gap: float = 0.0
    ) -> list[Span]:
        """Reads the recording to its end and returns what is heard when.

        Arguments
        ---------
        threshold : float, optional
            Probability below which a window has no label; by default that of
            each task's artefact (``Trained.least``).
        gap : float
            As in ``merge``.

        Returns
        -------
        list of Span
            By start.

        Raises
        ------
        ValueError
            As in ``windows``.
        """
        least = {
            task: self.bank[task].least if threshold is None else threshold
            for task in self.tasks
        }
        heard = (w for w in self.windows() if w.probability >= least[w.task])
        return merge(heard, 0.0, gap)

    def _draw(self, wave, start):
        """Adds a part to the picture."""
        seconds = len(wave) / self.rate
        scale = COLUMNS / self.duration
        first = min(COLUMNS - 1, int(start * scale))
        n = max(1, min(COLUMNS - first, round(seconds * scale)))
        power = spectrogram(wave, self.rate, ROWS, n, absolute=True)
        place = self.picture[:, first : first + n]
        top = max(self._loudest, float(power.max()))
        # Everything is in decibels below the loudest of all parts.
        if np.isfinite(self._loudest):
            self.picture -= top - self._loudest
        self._loudest = top
        np.maximum(place, power - top, out=place)
        np.maximum(self.picture, -RANGE_DB, out=self.picture)


def merge(
    windows: Iterable[Span], threshold: float, gap: float = 0.0
) -> list[Span]:
    """Joins neighboring windows with one label to spans.

    Arguments
    ---------
    windows : iterable of Span
        In the order of time.
    threshold : float
        Probability below which a window has no label.
    gap : float
        Seconds without the label that a span may bridge.

    Returns
    -------
    list of Span
        By start.

    Example
    -------
    >>> windows = [Span("", t, t + 2.0, "dog", 0.9) for t in (0.0, 1.0, 6.0)]
    >>> [(span.start, span.end) for span in merge(windows, 0.5)]
    [(0.0, 3.0), (6.0, 8.0)]
    >>> [(span.start, span.end) for span in merge(windows, 0.5, gap=3.0)]
    [(0.0, 8.0)]
    """
    spans: list[Span] = []
    latest: dict[tuple[str, str], int] = {}
    for one in windows:
        if one.probability < threshold:
            continue
        key = one.task, one.label
        place = latest.get(key)
        if place is not None and one.start <= spans[place].end + gap + 1e-9:
            before = spans[place]
            spans[place] = replace(
                before,
                end=max(before.end, one.end),
                probability=max(before.probability, one.probability),
            )
        else:
            latest[key] = len(spans)
            spans.append(one)
    return spans
