"""A metric against parameters and against clips of each class."""

from speechbrain_petl.experiments.reporting.figures.accuracy import (
    Point,
    against_parameters,
    against_shots,
)

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
    texts = {text.get_text() for text in figure.legends[0].get_texts()}
    assert texts == set(LINES)
    assert not overlapping(figure)


def test_few_shot_curves():
    lines = {"lora": [Point(8, 70), Point(1, 30), Point(2, 40)]}
    figure = against_shots(lines, "ESC-50")
    (axes,) = figure.axes
    assert axes.containers[0][0].get_xdata().tolist() == [1, 2, 8]
    assert axes.get_xticks().tolist() == [1, 2, 8]
    assert not overlapping(figure)
