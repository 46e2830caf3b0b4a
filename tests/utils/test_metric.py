"""A metric is named, not assumed."""

import pytest
from speechbrain_petl.utils.metric import Metric, metric_of


def test_results_of_older_versions_are_of_accuracy():
    assert metric_of({"accuracy": 1.0}) == Metric("accuracy", "max")


@pytest.mark.parametrize(
    "facts",
    [{"selects": 1}, {"selects": None}, {"direction": "up"}, {"direction": []}],
)
def test_what_is_no_metric_is_refused(facts):
    with pytest.raises(ValueError, match="selects is the name of a metric"):
        metric_of(facts)
