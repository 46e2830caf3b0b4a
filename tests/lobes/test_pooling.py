"""Pooling: values, and gradients where the deviation is zero."""

import pytest
import torch
from speechbrain_petl.lobes.pooling import POOLINGS, check_pooling, mean_std


@pytest.mark.parametrize("name", POOLINGS)
def test_the_size_is_as_the_table_says(name):
    function, times = POOLINGS[check_pooling(name)]
    assert function(torch.rand(2, 5, 3)).shape == (2, times * 3)


def test_mean_and_std_are_torchs():
    tokens = torch.randn(2, 7, 3)
    want = torch.cat([tokens.mean(1), tokens.std(1)], dim=1)
    torch.testing.assert_close(mean_std(tokens), want)


@pytest.mark.parametrize("n_tokens", [1, 4])
def test_constant_tokens_have_no_deviation_and_a_finite_gradient(n_tokens):
    tokens = torch.ones(1, n_tokens, 2, requires_grad=True)
    pooled = mean_std(tokens)
    assert (pooled[:, 2:] < 1e-6).all()
    pooled.sum().backward()
    assert torch.allclose(tokens.grad, torch.tensor(1 / n_tokens))


def test_an_unknown_pooling_is_refused():
    with pytest.raises(ValueError, match="one of mean, mean_std, not 'max'"):
        check_pooling("max")
