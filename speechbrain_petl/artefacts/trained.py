"""Trained: the modules of an artefact, ready to use."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from speechbrain_petl.artefacts.decisions import Decision
from speechbrain_petl.artefacts.tasks import decision_of
from speechbrain_petl.lobes.front_end import FrontEnd
from speechbrain_petl.lobes.petl import PETLModel
from torch import nn


@dataclass(frozen=True)
class Trained:
    """The modules of an artefact, in eval mode, and its facts.

    Arguments
    ---------
    metadata : mapping
        The artefact's ``artefact.json``.
    compute_features : FrontEnd
        The front end.
    encoder : PETLModel
        The adapted backbone.
    classifier : torch.nn.Module
        The head, from embeddings [B, d] to logits [B, classes].
    """

    metadata: Mapping[str, Any]
    compute_features: FrontEnd
    encoder: PETLModel
    classifier: nn.Module

    @property
    def labels(self) -> list[str]:
        """Labels in the order of the logits."""
        return self.metadata["labels"]

    @cached_property
    def decision(self) -> Decision:
        """What decides on labels; a ``ValueError`` where none are given."""
        return decision_of(self.metadata)

    @property
    def unknown_below(self) -> float | None:
        """Probability below which the best class is none; None if not known.

        Only a training with a threshold for unknown sounds leaves one.
        """
        return self.metadata.get("unknown", {}).get("threshold")

    @property
    def least(self) -> float:
        """Probability below which a part of a recording has no label."""
        known = self.unknown_below
        return self.decision.least if known is None else known

    @property
    def modules(self) -> tuple[FrontEnd, PETLModel, nn.Module]:
        """Front end, encoder and head."""
        return self.compute_features, self.encoder, self.classifier
