"""Which epoch is tested."""

from types import SimpleNamespace

import pytest
from speechbrain_petl.training.selection import best_epoch, check_metric


def selected(metric, direction, *metas):
    """The epoch of the checkpoint that sorts highest."""
    checkpoints = [SimpleNamespace(meta=meta) for meta in metas]
    return max(checkpoints, key=best_epoch(metric, direction)).meta["epoch"]


def test_the_direction_says_what_is_best():
    metas = [{"epoch": e, "m": m} for e, m in ((1, 0.5), (2, 0.9), (3, 0.1))]
    assert selected("m", "max", *metas) == 2
    assert selected("m", "min", *metas) == 3


@pytest.mark.parametrize("direction", ["max", "min"])
def test_a_tie_goes_to_the_earlier_epoch(direction):
    metas = [{"epoch": epoch, "m": 0.5} for epoch in (3, 1, 2)]
    assert selected("m", direction, *metas) == 1


def test_without_the_metric_the_last_epoch_wins():
    assert selected("m", "max", {}, {"epoch": 3}, {"epoch": 2}) == 3
    # A validated epoch goes before any that was not, however bad it is.
    assert selected("m", "min", {"epoch": 1, "m": 9.0}, {"epoch": 2}) == 1


def test_a_metric_that_the_task_lacks_is_refused():
    metrics = {"accuracy": "max", "loss": "min"}
    check_metric("loss", metrics)
    with pytest.raises(ValueError, match="'eer'.*one of accuracy, loss"):
        check_metric("eer", metrics)
