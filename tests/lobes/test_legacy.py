"""The sum that adds an adapter's output twice."""

from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.legacy import AddShared, ParallelShared
from torch import nn

BESIDE = partial(
    ParallelShared,
    adapter=partial(Bottleneck, reduction_rate=4, identity=False),
)


class Layer(nn.Module):
    """A layer that hands its keyword arguments to its attention."""

    def __init__(self):
        super().__init__()
        self.mhsa, self.ffn = nn.Linear(16, 16), nn.Linear(16, 16)

    def forward(self, hidden, **kwargs):
        hidden = hidden + self.mhsa(hidden, **kwargs)
        return hidden + self.ffn(hidden), "rest"


@pytest.mark.parametrize("place", ["before", "after"])
def test_the_same_output_is_added_after_both_sublayers(place):
    layer, x = Layer(), torch.randn(2, 5, 16)
    stock = layer.mhsa
    layer.mhsa = BESIDE(stock, place=place)
    read = x if place == "before" else stock(x)
    mixture = layer.mhsa.adapter(read)
    hidden = x + stock(x) + mixture
    want = hidden + layer.ffn(hidden) + mixture
    got, rest = AddShared(layer)(x)
    torch.testing.assert_close(got, want)
    assert rest == "rest"


def test_nothing_is_kept_from_one_call_to_the_next():
    layer = Layer()
    layer.mhsa = BESIDE(layer.mhsa)
    twice, x = AddShared(layer), torch.randn(2, 5, 16)
    first = twice(x)[0]
    twice(torch.randn(3, 7, 16))
    assert torch.equal(twice(x)[0], first)


def test_a_layer_in_which_nothing_is_shared_is_refused():
    with pytest.raises(ValueError, match="needs a ParallelShared at 'mhsa'"):
        AddShared(Layer())
