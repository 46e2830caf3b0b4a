"""Trained tokens beside a clip's own: how they are made, and masks for them."""

import math

import torch
from torch import nn


def new_prompts(
    n_prompts: int, size: int, bound: float | None = None
) -> nn.Parameter:
    """Makes prompts [n_prompts, size] of a uniform distribution.

    Arguments
    ---------
    n_prompts : int
        Number of prompts.
    size : int
        Size of each.
    bound : float, optional
        Largest absolute value. By default that of visual prompt tuning,
        ``sqrt(6 / (3 * 16 * 16 + size))``; the 3 stands for the color
        channels of the images that this rule was made for.

    Returns
    -------
    torch.nn.Parameter
        The prompts.

    Raises
    ------
    ValueError
        If ``n_prompts`` is below 1.

    Example
    -------
    >>> new_prompts(3, 48).shape
    torch.Size([3, 48])
    """
    if n_prompts < 1:
        raise ValueError(f"n_prompts is {n_prompts}: give at least 1.")
    if bound is None:
        bound = math.sqrt(6 / (3 * 16 * 16 + size))
    return nn.Parameter(torch.empty(n_prompts, size).uniform_(-bound, bound))


def expand(prompts: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Repeats prompts [n, d] for each clip of [B, T, d], in its type.

    Example
    -------
    >>> expand(torch.zeros(3, 48), torch.rand(2, 10, 48)).shape
    torch.Size([2, 3, 48])
    """
    return prompts.to(like.dtype).expand(like.shape[0], -1, -1)


def widen(mask: torch.Tensor, first: int, last: int) -> torch.Tensor:
    """Makes an attention mask see new tokens.

    Arguments
    ---------
    mask : torch.Tensor
        Of tokens [B, T], or of queries and keys [B, heads, T or 1, T];
        boolean or whole numbers, not 0 where a token is seen, or added to
        the scores.
    first, last : int
        Number of new tokens before and after the others.

    Returns
    -------
    torch.Tensor
        Mask of the same kind with T + first + last tokens.

    Example
    -------
    >>> widen(torch.ones(1, 1, 5, 5, dtype=torch.bool), 2, 0).shape
    torch.Size([1, 1, 7, 7])
    >>> widen(torch.tensor([[1, 1, 0]]), 1, 1)
    tensor([[1, 1, 1, 0, 1]])
    """
    visible = 0 if mask.is_floating_point() else 1
    rows = mask.dim() > 2 and mask.shape[-2] > 1
    size = (first, last, first, last) if rows else (first, last)
    return nn.functional.pad(mask, size, value=visible)
