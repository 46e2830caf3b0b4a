"""How a task decides: from a head's logits to scores, and to labels."""

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from speechbrain_petl.dataio.windows import average
from torch import nn
from torch.nn.functional import logsigmoid


class Decision(Protocol):
    """Anything that turns logits into labels.

    Arguments
    ---------
    recorded : mapping
        ``decision`` of an artefact's metadata.
    """

    #: From logits [..., classes] to log probabilities of the same shape.
    activation: nn.Module
    #: Probability below which a label that is given is doubted, where an
    #: artefact has no threshold for that.
    least: float

    def given(self, scores: torch.Tensor) -> list[int]:
        """Returns the classes that a clip is given, the likeliest first.

        Arguments
        ---------
        scores : torch.Tensor
            Log probabilities [classes].
        """

    def join(self, logits: torch.Tensor) -> torch.Tensor:
        """Returns logits of the mean probabilities of several models.

        Arguments
        ---------
        logits : torch.Tensor
            Logits [models, ..., classes].

        Returns
        -------
        torch.Tensor
            [..., classes]
        """

    def told(
        self, scores: torch.Tensor, names: Mapping[int, str]
    ) -> str | list[str]:
        """Returns the name of the one class, or the names of the several.

        Arguments
        ---------
        scores : torch.Tensor
            Log probabilities [classes].
        names : mapping of int to str
            Names of the classes.
        """


class OneLabel:
    """The likeliest class; the probabilities of all add up to 1.

    Example
    -------
    >>> OneLabel({}).given(torch.tensor([0.1, 0.7, 0.2]).log())
    [1]
    """

    activation: nn.Module = nn.LogSoftmax(dim=-1)
    least = 0.5

    def __init__(self, recorded: Mapping[str, Any]):
        del recorded

    def given(self, scores: torch.Tensor) -> list[int]:
        """See ``Decision``."""
        return [int(scores.argmax())]

    def join(self, logits: torch.Tensor) -> torch.Tensor:
        """See ``Decision``."""
        return average(logits.log_softmax(dim=-1))

    def told(self, scores: torch.Tensor, names: Mapping[int, str]) -> str:
        """See ``Decision``."""
        return names[self.given(scores)[0]]


class SeveralLabels:
    """All classes above their thresholds; each has a probability of its own.

    Example
    -------
    >>> decision = SeveralLabels({"thresholds": [0.5, 0.1, 0.5]})
    >>> decision.given(torch.tensor([0.4, 0.2, 0.9]).log())
    [2, 1]
    """

    activation: nn.Module = nn.LogSigmoid()
    least = 0.0

    def __init__(self, recorded: Mapping[str, Any]):
        thresholds = recorded["thresholds"]
        self.thresholds = torch.tensor(thresholds, dtype=torch.float64)

    def given(self, scores: torch.Tensor) -> list[int]:
        """See ``Decision``."""
        probabilities = scores.detach().cpu().double().exp()
        order = probabilities.argsort(descending=True, stable=True)
        above = (probabilities > self.thresholds)[order]
        return order[above].tolist()

    def join(self, logits: torch.Tensor) -> torch.Tensor:
        """See ``Decision``."""
        yes, no = (logsigmoid(sign * logits) for sign in (1, -1))
        return average(yes) - average(no)

    def told(self, scores: torch.Tensor, names: Mapping[int, str]) -> list[str]:
        """See ``Decision``."""
        return [names[i] for i in self.given(scores)]
