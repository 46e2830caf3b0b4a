"""Losses of logits, whose targets may be shares of several classes."""

from collections.abc import Callable

import torch
from speechbrain_petl.utils.messages import did_you_mean
from torch import nn

from speechbrain.nnet.losses import AdditiveAngularMargin, LogSoftmaxWrapper

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def bce(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Returns the binary cross entropy, averaged over clips and classes.

    Each class is a yes or no of its own, as in tagging.

    Arguments
    ---------
    logits : torch.Tensor
        Logits [B, classes].
    targets : torch.Tensor
        Indices [B] of the classes, or shares [B, classes] from 0 to 1.

    Returns
    -------
    torch.Tensor
        A scalar.

    Example
    -------
    >>> logits = torch.tensor([[2.0, -1.0]])
    >>> a, b = bce(logits, torch.tensor([0])), bce(logits, torch.eye(2)[:1])
    >>> torch.equal(a, b), round(a.item(), 4)
    (True, 0.2201)
    """
    if targets.dim() == 1:
        targets = nn.functional.one_hot(targets, logits.shape[1])
    return nn.functional.binary_cross_entropy_with_logits(
        logits, targets.to(logits.dtype)
    )


# PyTorch's takes indices and shares of classes alike.
LOSSES: dict[str, Loss] = {
    "cross_entropy": nn.functional.cross_entropy,
    "bce": bce,
}


def loss_named(name: str) -> Loss:
    """Returns a loss by its name in a recipe's YAML.

    Arguments
    ---------
    name : str
        ``cross_entropy`` or ``bce``.

    Returns
    -------
    callable
        Takes logits [B, classes] and targets, which are indices [B] or shares
        [B, classes], and returns the mean over the batch.

    Raises
    ------
    ValueError
        If there is no such loss.

    Example
    -------
    >>> loss_named("bce") is bce
    True
    """
    if name not in LOSSES:
        near = did_you_mean(str(name), list(LOSSES))
        raise ValueError(
            f"loss: there is no loss {name!r}; "
            f"{near or 'choose one of ' + ', '.join(LOSSES) + '.'}"
        )
    return LOSSES[name]


def speaker_loss(
    cosine: bool = False, margin: float = 0.2, scale: float = 30.0
) -> Loss:
    """Returns a loss of telling the training speakers apart.

    Arguments
    ---------
    cosine : bool
        If True, the outputs are cosines, as of ``EmbeddingHead(cosine=True)``,
        and the loss is SpeechBrain's additive angular margin softmax (arXiv
        1906.07317). Otherwise they are logits of a softmax.
    margin : float
        Angle in radians by which a speaker's own cosine has to be better.
    scale : float
        Factor of the cosines.

    Returns
    -------
    callable
        Takes outputs [B, speakers] and indices [B], or without cosines shares
        [B, speakers] too, and returns the mean over the batch.

    Example
    -------
    >>> loss = speaker_loss(cosine=True)
    >>> loss(torch.eye(2), torch.tensor([0, 1])) < 1e-6
    tensor(True)
    """
    if not cosine:
        return nn.functional.cross_entropy
    wrapped = LogSoftmaxWrapper(AdditiveAngularMargin(margin, scale))

    def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Returns the loss of cosines [B, speakers]."""
        if targets.dim() != 1:
            raise ValueError(
                "mixup has shares of several speakers, which no margin is "
                "for: set mixup to 0, or cosine to False."
            )
        return wrapped(outputs.unsqueeze(1), targets.unsqueeze(1))

    return loss
