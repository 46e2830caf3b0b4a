"""Prefix tuning: trained keys and values that each token also attends to.

Li and Liang, arXiv 2101.00190, without the reparametrisation, as in arXiv
2312.03694. Three wrappers say it, none of which knows how the attention
works: ``PrefixRows`` at ``mhsa`` makes room for more rows and takes them off
the output, ``Prefix`` at ``key`` and at ``value`` fills those rows:

    softmax(Q [K; P_k]^T / sqrt(d_head)) [V; P_v]
"""

import torch
from speechbrain_petl.lobes.insertion import join, split, width
from speechbrain_petl.lobes.prompts import expand, new_prompts, widen
from torch import nn


def half(num_tokens: int) -> int:
    """Rows of the keys, and of the values, for so many tokens in all.

    Raises
    ------
    ValueError
        If the number is odd or below 2.

    Example
    -------
    >>> half(24)
    12
    """
    if num_tokens < 2 or num_tokens % 2:
        raise ValueError(
            f"num_tokens is {num_tokens}: half are keys and half are values, "
            "so give an even number of at least 2."
        )
    return num_tokens // 2


class PrefixRows(nn.Module):
    """Gives an attention room for prefixes; at the site ``mhsa``.

    The rows are zeros before the projections, queries of no use that are cut
    off afterwards.

    Arguments
    ---------
    target : torch.nn.Module
        The attention, on [B, T, d].
    num_tokens : int
        Keys and values together, as the paper counts.
    """

    def __init__(self, target: nn.Module, num_tokens: int):
        super().__init__()
        self.target = target
        self.num_tokens = num_tokens
        self.rows = half(num_tokens)

    def needs(self) -> dict:
        """``Prefix`` of as many tokens at ``key`` and at ``value``."""
        need = (Prefix, {"num_tokens": self.num_tokens})
        return {"key": need, "value": need}

    def forward(self, hidden, mask=None, **kwargs):
        """Runs the attention on [B, T + rows, d] and gives [B, T, d]."""
        hidden = nn.functional.pad(hidden, (0, 0, 0, self.rows))
        mask = widen(mask, 0, self.rows)
        output, rest = split(self.target(hidden, mask, **kwargs))
        return join(output[:, : -self.rows], rest)


class Prefix(nn.Module):
    """Trained last rows of the keys or the values; at ``key`` and ``value``.

    Needs ``PrefixRows`` at ``mhsa`` with the same ``num_tokens``.

    Arguments
    ---------
    target : torch.nn.Module
        The projection, on [B, T + rows, d].
    num_tokens : int
        Keys and values together, as the paper counts.

    Example
    -------
    >>> prefix = Prefix(nn.Linear(8, 8), num_tokens=4)
    >>> keys = prefix(torch.rand(1, 5, 8))
    >>> torch.equal(keys[0, -2:], prefix.prefix)
    True
    """

    identity_at_start = False

    def __init__(self, target: nn.Module, num_tokens: int):
        super().__init__()
        self.target = target
        self.num_tokens = num_tokens
        self.prefix = new_prompts(half(num_tokens), width(target))

    def needs(self) -> dict:
        """``PrefixRows`` of as many tokens at ``mhsa``."""
        return {"mhsa": (PrefixRows, {"num_tokens": self.num_tokens})}

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Projects [B, T + rows, d], the last rows being the prefix."""
        rows = self.target(hidden)[:, : -len(self.prefix)]
        return torch.cat([rows, expand(self.prefix, rows)], dim=1)
