"""A linear probe on stored embeddings: penalized logistic regression.

On N embeddings x of width d, standardized, with targets y, the weights W and
the bias b of all classes minimize::

    mean_n loss(W x_n + b, y_n) + decay / 2 * |W|^2

with the cross entropy of one label a clip, or the binary one of several, which is convex, and solved by L-BFGS in seconds. The standardization is folded
into W and b afterwards, so that the result is one linear layer.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import nn

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
cross_entropy: Loss = nn.functional.cross_entropy

DECAYS = tuple(10.0**k for k in (1, 0, -1, -2, -3, -4, -5))
ITERATIONS = 200
TINY = 1e-6


class Probe(NamedTuple):
    """A fitted probe.

    Arguments
    ---------
    weight : torch.Tensor
        [classes, d]
    bias : torch.Tensor
        [classes]
    decay : float
        Strength of the penalty.
    """

    weight: torch.Tensor
    bias: torch.Tensor
    decay: float

    def __call__(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Returns logits [N, classes] of embeddings [N, d]."""
        return embeddings @ self.weight.T + self.bias

    def accuracy(self, x: torch.Tensor, y: torch.Tensor) -> float:
        """Returns the share of embeddings [N, d] of which y [N] is told."""
        return (self(x).argmax(dim=1) == y).double().mean().item()


def fit(
    x: torch.Tensor,
    y: torch.Tensor,
    n_classes: int,
    decays: Sequence[float] = DECAYS,
    loss: Loss = cross_entropy,
) -> list[Probe]:
    """Fits probes of all strengths of the penalty.

    Each begins where the one before it ended, from strong to weak.

    Arguments
    ---------
    x : torch.Tensor
        Embeddings [N, d].
    y : torch.Tensor
        Their targets, as the loss takes them: classes [N], or zeros and ones
        [N, classes].
    n_classes : int
        Number of classes; some may have no embedding.
    decays : sequence of float
        Strengths of the penalty.
    loss : callable
        Mean loss of logits [N, classes] and targets.

    Returns
    -------
    list of Probe
        In the order of the strengths, from strong to weak.

    Example
    -------
    >>> x = torch.tensor([[0.0, 1.0], [0.1, 1.0], [1.0, 0.0], [0.9, 0.0]])
    >>> probe = fit(x, torch.tensor([0, 0, 1, 1]), 2)[-1]
    >>> probe(torch.tensor([[0.2, 0.8], [0.8, 0.2]])).argmax(dim=1)
    tensor([0, 1])
    """
    mean, std = x.mean(dim=0), x.std(dim=0, unbiased=False).clamp(min=TINY)
    scaled = (x - mean) / std
    weight = torch.zeros(n_classes, x.shape[1], requires_grad=True)
    bias = torch.zeros(n_classes, requires_grad=True)
    probes = []
    for decay in sorted(decays, reverse=True):
        _minimize(scaled, y, weight, bias, decay, loss)
        folded = weight.detach() / std
        probes.append(Probe(folded, bias.detach() - folded @ mean, decay))
    return probes


def _minimize(x, y, weight, bias, decay, loss_of):
    """Moves weights and bias to the minimum of the penalized loss."""
    optimizer = torch.optim.LBFGS(
        [weight, bias],
        max_iter=ITERATIONS,
        tolerance_grad=1e-5,
        tolerance_change=1e-7,
        line_search_fn="strong_wolfe",
    )

    def closure():
        """Computes the loss and its gradient."""
        optimizer.zero_grad()
        loss = loss_of(x @ weight.T + bias, y)
        loss = loss + decay / 2 * weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)


def tune(
    x: torch.Tensor,
    y: torch.Tensor,
    valid_x: torch.Tensor,
    valid_y: torch.Tensor,
    n_classes: int,
    decays: Sequence[float] = DECAYS,
    loss: Loss = cross_entropy,
    score: Callable[[torch.Tensor, torch.Tensor], float] | None = None,
) -> Probe:
    """Fits probes, and picks the one that is best on the validation split.

    The score decides, and among equal ones the loss.

    Arguments
    ---------
    x, valid_x : torch.Tensor
        Embeddings [N, d] to train and to validate on.
    y, valid_y : torch.Tensor
        Their targets, see ``fit``.
    n_classes : int
        Number of classes.
    decays : sequence of float
        Strengths of the penalty.
    loss : callable
        Mean loss of logits [N, classes] and targets.
    score : callable, optional
        What is better if it is higher, of logits and targets; the accuracy by
        default.

    Returns
    -------
    Probe
    """

    def worth(probe):
        """Returns what probes are compared by."""
        logits = probe(valid_x)
        value = (
            probe.accuracy(valid_x, valid_y)
            if score is None
            else score(logits, valid_y)
        )
        return value, -loss(logits, valid_y).item()

    return max(fit(x, y, n_classes, decays, loss), key=worth)
