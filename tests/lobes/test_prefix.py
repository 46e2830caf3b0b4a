"""Prefix tuning: trained keys and values beside a clip's own."""

from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.prefix import Prefix, PrefixRows, half
from torch import nn


class Attention(nn.Module):
    """Attention of one head; a mask is added to the scores."""

    def __init__(self, size):
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(size, size) for _ in range(3))

    def forward(self, hidden, attention_mask=None):
        q, k, v = self.q(hidden), self.k(hidden), self.v(hidden)
        scores = q @ k.transpose(1, 2) / hidden.shape[-1] ** 0.5
        if attention_mask is not None:
            scores = scores + attention_mask[:, 0]
        return scores.softmax(-1) @ v, "rest"


@pytest.mark.parametrize("rows", [1, 4])
def test_it_is_the_papers_sum_under_a_mask_too(rows):
    stock, size = Attention(8), 8
    x = torch.randn(2, 4, size)
    mask = torch.zeros(2, 1, rows, 4)
    mask[1, ..., 3] = float("-inf")
    q, k, v = stock.q(x), stock.k(x), stock.v(x)
    stock.k = Prefix(stock.k, num_tokens=6)
    stock.v = Prefix(stock.v, num_tokens=6)
    got, rest = PrefixRows(stock, num_tokens=6)(x, attention_mask=mask)
    k = torch.cat([k, stock.k.prefix.expand(2, -1, -1)], 1)
    v = torch.cat([v, stock.v.prefix.expand(2, -1, -1)], 1)
    scores = q @ k.transpose(1, 2) / size**0.5
    scores[1, :, 3] = float("-inf")
    torch.testing.assert_close(got, scores.softmax(-1) @ v)
    assert rest == "rest"


@pytest.mark.parametrize("num_tokens", [0, 1, 7, -2])
def test_the_tokens_are_half_keys_and_half_values(num_tokens):
    assert half(2) == 1
    with pytest.raises(ValueError, match="even number of at least 2"):
        half(num_tokens)


def test_all_three_wrappers_are_needed_with_as_many_tokens(tiny_ast):
    rows = {"mhsa": partial(PrefixRows, num_tokens=4)}
    few = {role: partial(Prefix, num_tokens=2) for role in ("key", "value")}
    for insertions in (rows, few, {**few, **rows}):
        with pytest.raises(ValueError, match="Prefix"):
            PETLModel(tiny_ast, insertions)
