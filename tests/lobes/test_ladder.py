"""Ladder side tuning: gates, and a side network of its own."""

import pytest
import torch
from speechbrain_petl.lobes.ladder import Ladder, SideLayer


def test_a_closed_gate_hides_a_layer():
    torch.manual_seed(0)
    ladder = Ladder(3, 32, 32, reduction_rate=4, heads=2)
    states = torch.randn(2, 3, 5, 32)
    other = states.clone()
    other[:, 2] = 0
    assert not torch.allclose(ladder(states), ladder(other))
    with torch.no_grad():
        ladder.gates[1] = -1e3
    torch.testing.assert_close(ladder(states), ladder(other))


def test_a_side_layer_mixes_tokens():
    torch.manual_seed(0)
    layer, x = SideLayer(8, 2), torch.randn(1, 4, 8)
    moved = x.clone()
    moved[:, 3] = torch.randn(8)
    assert not torch.allclose(layer(x)[:, 0], layer(moved)[:, 0])
    torch.testing.assert_close(layer(x[:, [1, 0]]), layer(x[:, :2])[:, [1, 0]])


def test_heads_have_to_divide_the_width():
    with pytest.raises(ValueError, match="8 wide .* 3 heads do not divide"):
        Ladder(3, 32, 32, reduction_rate=4, heads=3)
