"""Artefacts that vote: the average of their probabilities decides.

``train --vote 3`` leaves them side by side in one folder, which stands for all
of them wherever an artefact is named.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from speechbrain_petl.artefacts.decisions import Decision
from speechbrain_petl.artefacts.format import METADATA
from speechbrain_petl.artefacts.tasks import task_of
from speechbrain_petl.artefacts.trained import Trained
from speechbrain_petl.utils.messages import printable
from torch import nn

REMEDY = "keep those together that one training with --vote has left"


class Encoders(nn.Module):
    """Several encoders of the same input, their embeddings side by side.

    Arguments
    ---------
    encoders : sequence of torch.nn.Module
        From inputs and relative lengths to embeddings [B, d].
    """

    def __init__(self, encoders: Sequence[nn.Module]):
        super().__init__()
        self.encoders = nn.ModuleList(encoders)

    def forward(
        self, inputs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Returns the embeddings [B, sum of d] of inputs [B, ...]."""
        return torch.cat([one(inputs, lens) for one in self.encoders], dim=1)


class MeanHead(nn.Module):
    """The logits of the mean of several heads' probabilities.

    Arguments
    ---------
    heads : sequence of torch.nn.Module
        From embeddings [B, d] to logits [B, classes].
    sizes : sequence of int
        The d of each.
    decision : Decision
        Says what the probabilities of logits are.

    Example
    -------
    >>> from speechbrain_petl.artefacts.decisions import OneLabel
    >>> heads = [nn.Linear(2, 3), nn.Linear(4, 3)]
    >>> head = MeanHead(heads, [2, 4], OneLabel({}))
    >>> head(torch.zeros(5, 6)).exp().sum(dim=1).allclose(torch.ones(5))
    True
    """

    def __init__(
        self,
        heads: Sequence[nn.Module],
        sizes: Sequence[int],
        decision: Decision,
    ):
        super().__init__()
        self.heads = nn.ModuleList(heads)
        self.sizes = list(sizes)
        self.join = decision.join

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Returns logits [B, classes] of embeddings [B, sum of d]."""
        parts = embeddings.split(self.sizes, dim=1)
        logits = [
            head(part).float()
            for head, part in zip(self.heads, parts, strict=True)
        ]
        return self.join(torch.stack(logits))


def members_of(source: str | Path) -> list[Path]:
    """Returns the artefacts that lie side by side in a folder.

    None if it is an artefact itself, holds one only, or is no folder.
    """
    folder = Path(source)
    if (folder / METADATA).exists() or not folder.is_dir():
        return []
    found = sorted(
        path for path in folder.iterdir() if (path / METADATA).is_file()
    )
    return found if len(found) > 1 else []


def join(members: Sequence[Trained], source: str | Path) -> Trained:
    """Returns artefacts as one, whose probabilities are their mean.

    Arguments
    ---------
    members : sequence of Trained
        The artefacts; the first one's metadata are those of all.
    source : str or Path
        Where they come from, for messages.

    Returns
    -------
    Trained

    Raises
    ------
    ValueError
        If they do not decide on the same, by the same input.
    """
    first = members[0]
    for other in members[1:]:
        same = {
            "labels": other.labels == first.labels,
            "tasks": task_of(other.metadata) == task_of(first.metadata),
            "thresholds": _decided(other) == _decided(first),
            "front ends": first.compute_features.alike(other.compute_features),
        }
        differ = [name for name, agrees in same.items() if not agrees]
        if differ:
            raise ValueError(
                f"The artefacts in '{printable(source)}' cannot vote, since "
                f"they have different {' and '.join(differ)}: {REMEDY}."
            )
    # Used as an encoder: its tensors are asked for by nobody.
    encoders: Any = Encoders([one.encoder for one in members]).eval()
    return Trained(
        first.metadata,
        first.compute_features,
        encoders,
        MeanHead(
            [one.classifier for one in members],
            [one.encoder.embedding_size for one in members],
            first.decision,
        ).eval(),
    )


def _decided(trained):
    """Returns what an artefact decides by, and when it knows no class."""
    unknown = trained.metadata.get("unknown", {})
    return trained.metadata.get("decision", {}), unknown.get("threshold")
