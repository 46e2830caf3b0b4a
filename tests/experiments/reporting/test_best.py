"""The best variant of a corpus, and whether others are told apart from it."""

import pytest
from speechbrain_petl.experiments.reporting.best import name_best, ranked
from speechbrain_petl.experiments.reporting.rows import Row
from speechbrain_petl.experiments.reporting.statistics import Summary
from speechbrain_petl.utils.metric import Metric

SIZE = {"method": 1000, "norm": 24, "norm_final": 8, "head": 5}


def row(variant, mean, low=None, high=None, metric=Metric()):
    """A row with what was found."""
    summary = Summary(2, 2, mean, 1.5, mean, low, high, SIZE, metric)
    return Row(variant, "A", "A", None, summary, 2, None)


def test_the_best_and_its_neighbors():
    rows = [row("c", 60, 50, 70), row("a", 90, 80, 95), row("b", 85, 78, 92)]
    text = name_best(rows, Metric())
    assert text.startswith("Best: a, 90.00 ± 1.50 %, with 1,024 trained")
    assert "The 95 % intervals of b overlap with its own" in text
    far = name_best([rows[0], rows[1]], Metric())
    assert "overlap" not in far


@pytest.mark.parametrize("direction, best", [("min", "low"), ("max", "high")])
def test_the_metric_says_what_is_better(direction, best):
    metric = Metric("EER", direction)
    rows = [row("high", 0.4, metric=metric), row("low", 0.1, metric=metric)]
    assert name_best(rows, metric).startswith(f"Best: {best}, 0.")


def test_one_variant_or_none_is_not_the_best():
    lost = Row("lost", "A", "A", None, None, 2, None)
    assert name_best([row("a", 1), lost], Metric()) == ""
    assert [one.variant for one in ranked([row("a", 1), lost])] == ["a"]
