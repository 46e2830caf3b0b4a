"""What depends on whether a sound has one label or several."""

from collections.abc import Collection, Mapping, Sequence
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


class Before(NamedTuple):
    """What an artefact that is continued brings along.

    Arguments
    ---------
    stored : dict of str to Given
        Stored clips of its classes, to train and to validate on.
    decision : mapping
        What it decides by.
    stays : torch.Tensor
        Bools [classes]: those of which the new clips tell nothing, so that
        what is known of them stays.
    """

    stored: dict[str, Given]
    decision: Mapping[str, Any]
    stays: torch.Tensor

    def join(self, split: str, new: Given) -> Given:
        """Returns the stored clips of a split, and after them new ones."""
        pairs = zip(self.stored[split], new, strict=True)
        return Given(*(torch.cat(pair) for pair in pairs))


class Task(Protocol):
    """One label a sound, or several: all that a training asks about it.

    Targets are indices [N], or zeros and ones [N, classes] and nan where
    nobody knows: of an old clip and a class that was added later, and of a
    new clip and an old class that no label of the new ones names.
    """

    #: Of the artefacts, see ``artefacts.tasks``.
    name: str
    #: What the validation split selects by.
    metric: Metric
    #: The metric in words, and as a headline of the report.
    title: str
    #: Overrides of the recipe's YAML.
    overrides: Mapping[str, Any]
    #: True if a sound may have several labels, or none.
    several: bool

    def encode(
        self, labels: Sequence[Any], names: Sequence[str], named: Collection
    ) -> torch.Tensor:
        """Returns the targets of clips.

        Arguments
        ---------
        labels : sequence
            What the manifest says of each clip.
        names : sequence of str
            All classes.
        named : collection of str
            Classes that any clip of the same sounds has.

        Returns
        -------
        torch.Tensor
        """

    def pack(self, y: torch.Tensor) -> list[Any]:
        """Returns targets as data for JSON, an item a clip."""

    def unpack(self, packed: Sequence[Any], n_classes: int) -> torch.Tensor:
        """Returns the targets of ``pack``.

        Raises
        ------
        ValueError
            If they are none of that many classes.
        """

    def widen(self, y: torch.Tensor, n_classes: int) -> torch.Tensor:
        """Returns targets for so many classes, of which the last are new."""

    def told(self, y: torch.Tensor, n_classes: int) -> torch.Tensor:
        """Returns bools [classes]: of which of them targets tell anything."""

    def kept(
        self, n_clips: int, n_old: int, before: float, after: float
    ) -> str:
        """Returns in words what became of the classes from before."""

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

    def decision(
        self, p: torch.Tensor, y: torch.Tensor, before: Before | None = None
    ) -> dict[str, Any]:
        """Returns what an artefact decides by, chosen on validation clips."""

    def strangers(
        self, train: Given, valid: Given, n_classes: int, decay: float
    ) -> float | None:
        """Returns how well sounds of no class are told, see ``unknown_auroc``.

        None where it cannot be measured, or a sound may have no label anyway.
        """

    def unknown(
        self, p: torch.Tensor, strangers: float | None
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
