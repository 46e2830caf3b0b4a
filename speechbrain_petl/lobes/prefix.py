"""Prefix tuning: trained keys and values that each token also attends to.

Li and Liang, arXiv 2101.00190, without the reparametrisation, as in arXiv
2312.03694. Three wrappers do it, none of which knows how the attention works:
``PrefixRows`` at ``mhsa`` makes room for more rows and removes them from the
output, ``Prefix`` at ``key`` and at ``value`` fills those rows:

    softmax(Q [K; P_k]^T / sqrt(d_head)) [V; P_v]
"""

from typing import Any

import torch
from speechbrain_petl.lobes.tokens import expand, new_prompts, widen
from speechbrain_petl.lobes.wrapper import (
    HIDDEN,
    MASK,
    Need,
    Wrapper,
    innermost,
    join,
    split,
    width,
)
from torch import nn


def half(num_tokens: int) -> int:
    """Returns the rows of the keys, and of the values, for so many tokens.

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


class PrefixRows(Wrapper):
    """Makes room for prefixes in an attention; at the site ``mhsa``.

    The rows are zeros before the projections; their queries are of no use,
    and their outputs are removed.

    Arguments
    ---------
    target : torch.nn.Module
        Attention, on [B, T, d].
    num_tokens : int
        Number of keys and values together, as the paper counts.
    """

    def __init__(self, target: nn.Module, num_tokens: int):
        super().__init__(target)
        self.num_tokens = num_tokens
        self.rows = half(num_tokens)

    def needs(self) -> dict[str, Need]:
        """Returns ``Prefix`` of as many tokens at ``key`` and ``value``."""
        need = Need(Prefix, {"num_tokens": self.num_tokens})
        return {"key": need, "value": need}

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the attention on [B, T + rows, d] and returns [B, T, d]."""
        hidden, mask = HIDDEN.get(args, kwargs), MASK.get(args, kwargs)
        hidden = nn.functional.pad(hidden, (0, 0, 0, self.rows))
        args, kwargs = HIDDEN.set(args, kwargs, hidden)
        if mask is not None:
            args, kwargs = MASK.set(args, kwargs, widen(mask, 0, self.rows))
        output, rest = split(self.target(*args, **kwargs))
        return join(output[:, : -self.rows], rest)


class Prefix(Wrapper):
    """Trained last rows of the keys or the values; at ``key`` and ``value``.

    Needs ``PrefixRows`` at ``mhsa`` with the same ``num_tokens``.

    Arguments
    ---------
    target : torch.nn.Module
        Projection, on [B, T + rows, d].
    num_tokens : int
        Number of keys and values together, as the paper counts.

    Example
    -------
    >>> prefix = Prefix(nn.Linear(8, 8), num_tokens=4)
    >>> keys = prefix(torch.rand(1, 5, 8))
    >>> torch.equal(keys[0, -2:], prefix.prefix)
    True
    """

    identity_at_start = False

    def __init__(self, target: nn.Module, num_tokens: int):
        super().__init__(target)
        self.num_tokens = num_tokens
        stock = innermost(target)
        size = width(target)
        if isinstance(stock, nn.Linear):
            size = stock.out_features
        self.prefix = new_prompts(half(num_tokens), size)

    def needs(self) -> dict[str, Need]:
        """Returns ``PrefixRows`` of as many tokens at ``mhsa``."""
        return {"mhsa": Need(PrefixRows, {"num_tokens": self.num_tokens})}

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Projects [B, T + rows, d] and puts the prefix into the last rows."""
        rows = self.target(hidden)[:, : -len(self.prefix)]
        return torch.cat([rows, expand(self.prefix, rows)], dim=1)
