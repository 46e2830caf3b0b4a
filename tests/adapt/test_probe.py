"""The linear probe on stored embeddings."""

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from speechbrain_petl.adapt.probe import fit, tune


@pytest.fixture
def clouds():
    """Embeddings of three classes around three centers, and their classes."""
    generator = torch.Generator().manual_seed(0)
    centers = torch.randn(3, 8, generator=generator)
    y = torch.arange(90) % 3
    x = centers[y] + torch.randn(90, 8, generator=generator)
    return 5 * x + 100, y  # far from standardized


def test_it_is_penalized_logistic_regression(clouds):
    x, y = clouds
    (probe,) = fit(x, y, 3, [0.01])
    scaled = (x - x.mean(dim=0)) / x.std(dim=0, unbiased=False)
    # scikit-learn's C weighs the sum of the losses against |W|^2 / 2.
    other = LogisticRegression(C=1 / (0.01 * len(x)), max_iter=2000)
    expected = other.fit(scaled.numpy(), y.numpy()).predict_proba(scaled)
    found = probe(x).softmax(dim=1)
    assert torch.allclose(found, torch.tensor(expected).float(), atol=2e-3)


def test_the_validation_split_decides(clouds):
    x, y = clouds
    probes = fit(x[:60], y[:60], 3)
    best = tune(x[:60], y[:60], x[60:], y[60:], 3)
    assert best.accuracy(x[60:], y[60:]) == max(
        probe.accuracy(x[60:], y[60:]) for probe in probes
    )
    assert probes[0].weight.norm() < probes[-1].weight.norm()


def test_a_class_without_a_clip(clouds):
    x, y = clouds
    (probe,) = fit(x[y != 1], y[y != 1], 4, [0.01])
    assert probe(x).shape == (90, 4)
    assert set(probe(x[y != 1]).argmax(dim=1).tolist()) == {0, 2}


def test_embeddings_that_do_not_vary():
    (probe,) = fit(torch.ones(6, 3), torch.tensor([0, 0, 0, 0, 1, 1]), 2, [0.1])
    assert probe(torch.ones(1, 3)).isfinite().all()
    assert probe(torch.ones(1, 3)).argmax() == 0
