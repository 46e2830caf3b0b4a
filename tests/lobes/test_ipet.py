"""IPET's adapter reads what the LayerNorm before the FFN reads."""

from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.ipet import ParallelOnInput, Tap, tapped
from speechbrain_petl.lobes.petl import PETLModel
from torch import nn

BESIDE = partial(
    ParallelOnInput,
    adapter=partial(Bottleneck, reduction_rate=4, identity=False),
)


@pytest.mark.parametrize("residual", [False, True])
def test_the_sum_is_the_papers(residual):
    norm, ffn = nn.LayerNorm(16), nn.Linear(16, 16)
    layer = BESIDE(ffn, scale=0.5, residual=residual)
    h = torch.randn(2, 5, 16)
    want = ffn(norm(h)) + 0.5 * layer.adapter(h) + residual * h
    torch.testing.assert_close(layer(Tap(norm)(h)), want)


def test_an_output_that_passed_something_else_is_refused():
    kept = Tap(nn.LayerNorm(16))(torch.randn(2, 5, 16))
    with pytest.raises(ValueError, match="did not get what Tap gave"):
        tapped(kept + 0)
    with pytest.raises(ValueError, match="did not get what Tap gave"):
        BESIDE(nn.Linear(16, 16))(torch.randn(2, 5, 16))


def test_neither_wrapper_goes_alone(tiny_ast):
    with pytest.raises(ValueError, match="ParallelOnInput"):
        PETLModel(tiny_ast, {"norm_before_ffn": Tap})
    with pytest.raises(ValueError, match="Tap"):
        PETLModel(tiny_ast, {"ffn": BESIDE})


def test_it_never_reads_the_output():
    with pytest.raises(ValueError, match="one of before.*not 'after'"):
        BESIDE(nn.Linear(16, 16), place="after")
