"""A metric against parameters and against clips of each class."""

from speechbrain_petl.experiments.reporting.figures.accuracy import (
    Point,
    against_parameters,
    against_shots,
)
from speechbrain_petl.experiments.reporting.figures.families import COLORS

from tests.experiments.reporting.figures.drawn import LINES, overlapping


def test_parameters_against_accuracy():
    figure = against_parameters(LINES, "ESC-50")
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    drawn = [container[0] for container in axes.containers]
    assert drawn[0].get_xdata().tolist() == [1e4, 1e5, 1e6]
    assert drawn[0].get_ydata().tolist() == [50, 60, 61]
    level = axes.lines[-1]
    assert level.get_ydata() == [40, 40], "no parameter: a level line"
    assert {text.get_text() for text in axes.texts} == set(LINES)
    assert not overlapping(figure)


def test_a_family_has_a_color_and_its_members_marks():
    points = [Point(1e4, 50, 2), Point(1e5, 60, 1)]
    names = ("lora", "adapter_hou_par", "adapter_hou_seq", "lora_qk")
    figure = against_parameters(dict.fromkeys(names, points), "ESC-50")
    (axes,) = figure.axes
    drawn = [container[0] for container in axes.containers]
    colors = [line.get_color() for line in drawn]
    assert colors[0] == colors[3] == COLORS["LoRA"]
    assert colors[1] == colors[2] == COLORS["adapters"]
    assert drawn[0].get_marker() != drawn[3].get_marker()
    assert [text.get_color() for text in axes.texts] == colors
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["LoRA", "adapters"]
    assert not overlapping(figure)


def test_few_shot_curves():
    lines = {"lora": [Point(8, 70), Point(1, 30), Point(2, 40)]}
    figure = against_shots(lines, "ESC-50")
    (axes,) = figure.axes
    assert axes.containers[0][0].get_xdata().tolist() == [1, 2, 8]
    assert axes.get_xticks().tolist() == [1, 2, 8]
    assert not overlapping(figure)
