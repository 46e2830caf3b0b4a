"""What is evaluated clip by clip is measured over clips."""

from types import SimpleNamespace

import pytest
import torch
from speechbrain_petl.training.task import TaskBrain

import speechbrain as sb


class Shares(TaskBrain):
    """Keeps the outputs, and measures their mean."""

    def compute_forward(self, batch, stage):
        """The numbers themselves."""
        return batch.numbers

    def compute_objectives(self, predictions, batch, stage):
        """The mean of a batch."""
        return predictions.mean()

    def rows(self, predictions, batch):
        """A number a clip."""
        return {"number": predictions}

    def measure(self, rows):
        """The largest number."""
        assert set(rows) == {"number"}  # the loss is no column of the task's
        return {"largest": rows["number"].max().item()}


@pytest.fixture
def brain():
    """A brain before its validation."""
    brain = Shares(run_opts={"device": "cpu"})
    brain.on_stage_start(sb.Stage.VALID, 1)
    return brain


def evaluate(brain, **numbers):
    """Evaluates a batch of clips."""
    batch = SimpleNamespace(
        id=list(numbers), numbers=torch.tensor(list(numbers.values()))
    )
    return brain.evaluate_batch(batch, sb.Stage.VALID)


def test_the_loss_is_averaged_over_clips(brain):
    evaluate(brain, a=1.0, b=1.0, c=1.0)
    evaluate(brain, d=5.0)
    ids, rows, stats = brain.measure_stage()
    assert ids == list("abcd")
    assert rows["number"].tolist() == [1, 1, 1, 5]
    assert stats == {"loss": 2.0, "largest": 5.0}  # by batches it were 3


def test_a_stage_forgets_the_one_before(brain):
    evaluate(brain, a=1.0)
    brain.on_stage_start(sb.Stage.TEST)
    evaluate(brain, b=3.0)
    assert brain.measure_stage()[0] == ["b"]


def test_a_loss_that_is_not_finite_is_not_kept(brain):
    with pytest.raises(ValueError, match="not finite for the clips a:"):
        evaluate(brain, a=float("nan"))
    assert brain.evaluated == []
