"""What a training asks about sounds with one label each."""

import pytest
import torch
from speechbrain_petl.adapt.one_label import OneLabel, recalls


@pytest.fixture
def told():
    """Probabilities of four clips, and their classes: the last is wrong."""
    p = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    return p, torch.tensor([0, 1, 0, 0])


def test_what_the_report_says(told):
    task = OneLabel()
    found = task.report(*told, ["dog", "cat"])
    assert found["confusion"] == [[2, 1], [0, 1]] and found["n_correct"] == 3
    assert [bar["note"] for bar in found["bars"]] == ["2 of 3", "1 of 1"]
    (wrong,) = task.mistakes(*told, ["dog", "cat"], {})
    assert wrong["row"] == 3 and wrong["said"] == "cat"
    assert wrong["of_label"] == pytest.approx(0.3)
    header, rows = task.rows(*told, ["dog", "cat"], {})
    assert rows[3] == ["dog", "cat", "0.700000"] and len(header) == 3


def test_a_class_without_a_test_clip():
    bars = recalls([[0, 0], [1, 1]], ["dog", "cat"])
    assert [bar["name"] for bar in bars] == ["cat", "dog"]
    assert bars[1]["note"] == "no test clip"
