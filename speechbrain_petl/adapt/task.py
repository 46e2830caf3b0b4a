"""What depends on whether a sound has one label or several."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from speechbrain_petl.utils.metric import Metric


class Given(NamedTuple):
    """Embeddings of clips, and their targets.

    Arguments
    ---------
    x : torch.Tensor
        Embeddings [N, d].
    y : torch.Tensor
        Targets, see ``Task``.
    """

    x: torch.Tensor
    y: torch.Tensor


class Task(Protocol):
    """One label a sound, or several: all that a training asks about it.

    Targets are indices [N], or zeros and ones [N, classes].
    """

    #: Of the artefacts, see ``artefacts.tasks``.
    name: str
    #: What the validation split selects by.
    metric: Metric
    #: The metric in words, and as a headline of the report.
    title: str
    #: Overrides of the recipe's YAML.
    overrides: Mapping[str, Any]
    #: True if more classes can be learned later, beside stored clips.
    grows: bool

    def loss(self, logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Returns the mean loss of logits [N, classes]."""

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """Returns the probabilities [N, classes] of logits."""

    def score(self, p: torch.Tensor, y: torch.Tensor) -> float:
        """Returns the metric of probabilities [N, classes]."""

    def scores(self, p: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
        """Returns all metrics that an artefact records."""

    def interval(self, p: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
        """Returns the 95 % interval of the metric."""

    def shown(self, score: float) -> str:
        """Returns a value of the metric as text."""

    def members(self, y: torch.Tensor) -> list[list[int]]:
        """Returns the clips of each class that has any."""

    def decision(self, p: torch.Tensor, y: torch.Tensor) -> dict[str, Any]:
        """Returns what an artefact decides by, chosen on validation clips."""

    def unknown(
        self, p: torch.Tensor, train: Given, valid: Given, decay: float
    ) -> dict[str, Any] | None:
        """Returns when a sound is called unknown, by validation clips.

        None where a sound may have no label anyway.
        """

    def rows(
        self,
        p: torch.Tensor,
        y: torch.Tensor,
        names: Sequence[str],
        decision: Mapping[str, Any],
    ) -> tuple[list[str], list[list[str]]]:
        """Returns header and rows of ``predictions.csv``, all but the id."""

    def report(
        self, p: torch.Tensor, y: torch.Tensor, names: Sequence[str]
    ) -> dict[str, Any]:
        """Returns what only this task's report says of the test split.

        ``told``, a sentence on the score; ``confusion``, counts by class and
        prediction, or None; ``bars``, a row for each class with ``name``,
        ``share`` from 0 to 1 or None, and ``note``, the worst first.
        """

    def mistakes(
        self,
        p: torch.Tensor,
        y: torch.Tensor,
        names: Sequence[str],
        decision: Mapping[str, Any],
    ) -> list[dict[str, Any]]:
        """Returns clips that were told wrongly, the surest first.

        Each has ``row``, its place, and the four values of ``doubts``.
        """

    def doubts(
        self,
        clips: Given,
        groups: Sequence[str],
        names: Sequence[str],
        decay: float,
    ) -> list[dict[str, Any]]:
        """Returns labels that others of the collection speak against.

        Each has ``row``, ``label`` and ``said``, texts, and ``of_label`` and
        ``probability``, theirs.
        """
