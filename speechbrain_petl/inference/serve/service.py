"""What a page asks of the models, without the page."""

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.tasks import EMBEDDING, task_of
from speechbrain_petl.inference.answers import as_data
from speechbrain_petl.inference.bank import AdapterBank
from speechbrain_petl.inference.serve.limits import Limits
from speechbrain_petl.inference.speaker import PETLSpeaker
from speechbrain_petl.inference.timeline import Recording, Span
from speechbrain_petl.inference.vote import members_of
from speechbrain_petl.lobes.backbone import Backbone
from speechbrain_petl.utils.errors import sentence
from speechbrain_petl.utils.messages import did_you_mean, printable

logger = logging.getLogger(__name__)


class Refused(Exception):
    """A request that cannot be answered; its text is for the visitor."""


class Timeline(NamedTuple):
    """What is heard when.

    Arguments
    ---------
    recording : Recording
        Read to its end.
    spans : list of Span
        By start.
    """

    recording: Recording
    spans: list[Span]


class Service:
    """Tasks that are asked by any number of visitors, one at a time.

    The tensors of a backbone are there once, however many tasks have it.

    Arguments
    ---------
    sources : mapping of str to str or Path
        Folder or hub id of the artefact of each task.
    limits : Limits, optional
        What is accepted of a visitor.
    backbone : str, optional
        Folder or hub id to take instead of what the artefacts name.
    device : str
        Where everything is computed.
    fetch : bool, optional
        As in ``Artefact.backbone``.
    precision : str
        As in ``AdapterBank``.

    Raises
    ------
    ValueError
        If there is no task, or an artefact cannot be loaded.
    """

    def __init__(
        self,
        sources: Mapping[str, str | os.PathLike],
        limits: Limits | None = None,
        backbone: str | None = None,
        device: str = "cpu",
        fetch: bool | None = None,
        precision: str = "fp32",
    ):
        if not sources:
            raise ValueError("There is no artefact to serve: name one.")
        self.limits = limits or Limits()
        #: ``artefact.json`` of each task
        self.metadata: dict[str, Mapping[str, Any]] = {}
        #: The bank of each task that gives labels
        self.banks: dict[str, AdapterBank] = {}
        #: Tasks that compare speakers
        self.speakers: dict[str, PETLSpeaker] = {}
        self._lock = threading.Lock()
        stocks: dict[str, Backbone] = {}
        shared: dict[tuple[str, int], AdapterBank] = {}
        for task, source in sources.items():
            # Of those that vote, the first one tells of all.
            first = next(iter(members_of(str(source))), source)
            artefact = Artefact.open(first)
            facts = self.metadata[task] = artefact.metadata
            name = facts["backbone"]["fingerprint"]
            if name not in stocks:
                stocks[name] = artefact.backbone(backbone, fetch).to(device)
            if artefact.task == EMBEDDING:
                self.speakers[task] = PETLSpeaker.from_artefact(
                    source,
                    backbone=stocks[name],
                    device=device,
                    precision=precision,
                )
                continue
            # Tasks of one bank have one backbone and one sample rate.
            key = name, facts["features"]["sample_rate"]
            if key not in shared:
                shared[key] = AdapterBank(
                    stocks[name], device, precision=precision
                )
            shared[key].add(task, str(source))
            self.banks[task] = shared[key]

    def describe(self) -> dict[str, dict[str, Any]]:
        """Returns what there is to ask, by the name of the task."""
        return {
            task: {
                "for": task_of(facts),
                "labels": list(facts["labels"]),
                "method": facts["method"],
                "corpus": facts["training"]["corpus"],
                "sample_rate": facts["features"]["sample_rate"],
            }
            for task, facts in self.metadata.items()
        }

    def predict(
        self, clip: str | None, task: str, top: int | None = None
    ) -> dict[str, Any]:
        """Returns the labels of a clip, as ``inference.answers.as_data``.

        ``heard`` is what the clip is given: the likeliest label, all those of
        a tagger that are above their thresholds, or nothing if it is unknown.

        Raises
        ------
        Refused
            If the clip cannot be used, there is no such task, or ``top`` is
            no number of labels.
        """
        bank = _pick(self.banks, task)
        if top is not None and top < 1:
            raise Refused(f"top is {top}: give a whole number from 1.")
        with self._asked(clip) as (path, _):
            (prediction,) = bank.classify_file(path, [task])
            trained = bank[task]
            found = as_data(prediction, trained, top)
            given = [] if found.get("unknown") else prediction.given
            found["heard"] = [trained.labels[i] for i in given]
            return found

    def timeline(
        self,
        recording: str | None,
        task: str,
        window: float | None = None,
        hop: float | None = None,
        threshold: float | None = None,
        gap: float = 0.0,
    ) -> Timeline:
        """Finds what is heard when; arguments as of ``Recording``.

        Raises
        ------
        Refused
            If the recording cannot be used, there is no such task, or a
            number cannot be meant.
        """
        bank = _pick(self.banks, task)
        with self._asked(recording) as (path, name):
            found = Recording(path, bank, hop, window, [task], name)
            self.limits.check_windows(found.duration, found.hop)
            return Timeline(found, found.spans(threshold, gap))

    def compare(
        self,
        one: str | None,
        other: str | None,
        task: str,
        threshold: float | None = None,
    ) -> dict[str, Any]:
        """Tells whether two clips are of one speaker.

        Returns
        -------
        dict
            ``score``, ``threshold`` and ``same``.

        Raises
        ------
        Refused
            If a clip cannot be used, there is no such task, or it has no
            threshold and none is given.
        """
        speaker = _pick(self.speakers, task)
        with self._asked(one, other) as (first, _, second, _):
            score, same = speaker.verify_files(first, second, threshold)
            least = speaker.threshold if threshold is None else threshold
            found = {"score": round(score.item(), 6), "threshold": least}
            return {**found, "same": bool(same)}

    @contextmanager
    def _asked(self, *paths: str | None) -> Iterator[list[str]]:
        """Gives path and name of each file; one request is in here at a time.

        What goes wrong becomes one sentence, in which a file is called as the
        visitor's is, and not as this machine's copy.
        """
        if None in paths:
            raise Refused("There is no audio: choose a file, or record one.")
        files = [(str(p), printable(os.path.basename(str(p)))) for p in paths]
        try:
            for path, _ in files:
                self.limits.check(path)
            with self._lock:
                yield [text for pair in files for text in pair]
        except ValueError as error:
            said = sentence(error)
            for path, name in files:
                said = said.replace(printable(path), name)
            raise Refused(said) from error
        except Exception as error:
            logger.exception("A request failed.")
            raise Refused(
                "This failed, and not for what was sent: the terminal of the "
                "server has the reason."
            ) from error


def _pick(tasks: Mapping[str, Any], name: str) -> Any:
    """Returns a task of those that can answer."""
    if name not in tasks:
        raise Refused(
            f"There is no task '{printable(name)}' for that; there is "
            f"{', '.join(tasks) or 'none'}. {did_you_mean(name, tasks)}".strip()
        )
    return tasks[name]
