"""Conformer adapter: its sum, its reach along the tokens, its counts."""

import pytest
import torch
from speechbrain_petl.lobes.conformer import Conformer


def make(**options):
    """Makes an adapter of 16 in and 4 channels, in evaluation."""
    options = {"reduction_rate": 4, "identity": False, **options}
    return Conformer(16, **options).eval()


def test_a_token_reaches_as_far_as_the_kernel():
    adapter = make(kernel_size=5)
    x = torch.randn(1, 11, 16)
    other = x.clone()
    other[0, 5] = torch.randn(16)
    changed = (adapter(x) - adapter(other)).abs().amax(dim=(0, 2)) > 1e-7
    assert changed.nonzero().flatten().tolist() == [3, 4, 5, 6, 7]


def test_the_norm_is_all_that_the_reference_code_leaves_out():
    whole, bare = make(), make(layer_norm=False)
    tensors = whole.state_dict()
    del tensors["norm.weight"], tensors["norm.bias"]
    bare.load_state_dict(tensors)
    x = 3 * torch.randn(2, 9, 16) + 1
    assert not torch.allclose(bare(x), whole(x), atol=1e-3)
    torch.testing.assert_close(bare(whole.norm(x)), whole(x))


def test_at_its_start_it_adds_nothing_and_can_train():
    adapter = make(identity=True)
    x = torch.randn(2, 9, 16)
    assert not adapter(x).any()
    adapter(x).square().sum().add(adapter(x).sum()).backward()
    assert adapter.up.weight.grad.any()
    assert make(identity=False)(x).any()


@pytest.mark.parametrize(
    "options", [{"kernel_size": 4}, {"reduction_rate": 64}]
)
def test_sizes_that_cannot_be_are_refused(options):
    with pytest.raises(ValueError, match="kernel_size|reduction_rate"):
        make(**options)
