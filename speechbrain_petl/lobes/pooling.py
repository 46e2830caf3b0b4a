"""Pooling: from the tokens of a clip to one embedding."""

from collections.abc import Callable

import torch

#: Least variance: the root's gradient is infinite at 0.
EPS = 1e-16


def mean(tokens: torch.Tensor) -> torch.Tensor:
    """Averages tokens [B, T, d] to [B, d].

    Example
    -------
    >>> mean(torch.tensor([[[1.0], [3.0]]]))
    tensor([[2.]])
    """
    return tokens.mean(dim=1)


def mean_std(tokens: torch.Tensor) -> torch.Tensor:
    """Returns means and standard deviations [B, 2 d] of tokens [B, T, d].

    IPET's pooling on wav2vec 2.0 (arXiv 2211.02227), with the unbiased
    variance. A channel that is constant, or a clip of one token, has a
    standard deviation of nearly 0, and the gradient of a constant.

    Example
    -------
    >>> mean_std(torch.tensor([[[1.0], [3.0], [5.0]]]))
    tensor([[3., 2.]])
    """
    several = tokens.shape[1] > 1
    var = tokens.var(dim=1, correction=1 if several else 0)
    return torch.cat([mean(tokens), var.clamp_min(EPS).sqrt()], dim=-1)


#: Pooling by name, and how many times the tokens' size its result is.
POOLINGS: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], int]] = {
    "mean": (mean, 1),
    "mean_std": (mean_std, 2),
}


def check_pooling(name: str) -> str:
    """Returns the name of a pooling.

    Raises
    ------
    ValueError
        If there is none of this name.

    Example
    -------
    >>> check_pooling("mean")
    'mean'
    """
    if name not in POOLINGS:
        raise ValueError(
            f"pooling is one of {', '.join(POOLINGS)}, not '{name}'."
        )
    return name
