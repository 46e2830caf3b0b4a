"""Variants from the best to the last."""

import pytest
from matplotlib.colors import to_hex
from speechbrain_petl.experiments.reporting.figures.families import COLORS
from speechbrain_petl.experiments.reporting.figures.ranking import (
    Ranked,
    best_first,
    draw_ranking,
)
from speechbrain_petl.utils.metric import Metric

from tests.experiments.reporting.figures.drawn import overlapping

ROWS = [
    Ranked("linear", 60.0, 2.0, 0),
    Ranked("lora", 80.0, None, 221_184),
    Ranked("adapter_hou_par", 81.5, 3.0, 497_952),
    Ranked("lora_stock", 79.0, 1.0, 221_184),
]


def test_dots_are_sorted_labeled_and_colored_by_family():
    figure = draw_ranking(ROWS, "ESC-50")
    (axes,) = figure.axes
    dots = [container[0] for container in axes.containers]
    assert [float(dot.get_xdata()[0]) for dot in dots] == [60, 79, 80, 81.5]
    assert axes.get_yticklabels()[-1].get_text() == "adapter_hou_par  (498K)"
    assert {text.get_text() for text in axes.texts} == {
        *("60.00", "79.00", "80.00", "81.50")
    }
    colors = [to_hex(dot.get_color()) for dot in dots]
    assert colors[1] == colors[2] == COLORS["LoRA"]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["probes and learners", "LoRA", "adapters"]
    assert not overlapping(figure)


@pytest.mark.parametrize("direction", ["min", "max"])
def test_the_direction_is_the_metric_s(direction):
    metric = Metric("EER", direction)
    names = [one.variant for one in best_first(ROWS, metric)]
    assert (names[0] == "linear") == (direction == "min")
