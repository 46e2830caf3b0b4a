"""The random state goes on where a checkpoint left it."""

import logging
import random

import numpy as np
import pytest
import torch
from speechbrain_petl.training import rng
from speechbrain_petl.training.rng import RandomState, seed_processes_apart


@pytest.fixture(autouse=True)
def _as_before(tmp_path):
    """Leaves the generators to other tests as they were."""
    RandomState().save(tmp_path / "before")
    yield
    RandomState().load(tmp_path / "before")


def draw():
    """A number of each generator, the normal ones with their spare value."""
    return (
        *(random.random(), random.gauss(0, 1)),
        *(np.random.rand(), np.random.randn()),
        torch.rand(()).item(),
    )


def test_all_generators_go_on(tmp_path):
    random.gauss(0, 1), np.random.randn()  # leaves a spare value in both
    RandomState().save(tmp_path / "rng")
    first = draw()
    assert draw() != first
    RandomState().load(tmp_path / "rng")
    assert draw() == first


def test_other_numbers_of_processes_are_told(tmp_path, caplog):
    RandomState().save(tmp_path / "rng")
    first = draw()
    (state,) = torch.load(tmp_path / "rng", weights_only=True)
    torch.save([state, state], tmp_path / "rng")
    with caplog.at_level(logging.WARNING, rng.logger.name):
        RandomState().load(tmp_path / "rng")
    assert "by 2 processes and is read by 1" in caplog.text
    assert draw() == first


def test_processes_draw_apart(monkeypatch):
    found = []
    for number in range(3):
        monkeypatch.setattr(rng, "rank", lambda number=number: number)
        torch.manual_seed(0)
        random.seed(0)
        np.random.seed(0)
        seed_processes_apart()
        found.append(draw())
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)
    assert found[0] == draw()  # the first keeps its seed
    assert all(len(set(column)) == 3 for column in zip(*found))
