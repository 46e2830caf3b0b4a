"""Names beside what they name."""

import pytest
from speechbrain_petl.experiments.reporting.figures.direct_labels import (
    height_for,
    label_beside,
    spread,
)
from speechbrain_petl.experiments.reporting.figures.style import new_figure

from tests.experiments.reporting.figures.drawn import overlapping


@pytest.mark.parametrize(
    "wanted",
    [[0.5] * 5, [0.0] * 5, [1.0] * 5, [0.9, 0.1, 0.91, 0.92, 0.11], [-3.0, 4]],
)
def test_positions_keep_their_order_and_distance(wanted):
    found = spread(wanted, 0.2)
    assert max(found) <= 1 and min(found) >= min(0, *wanted)
    pairs = sorted(zip(wanted, found))
    for (_, low), (_, high) in zip(pairs, pairs[1:]):
        assert high - low >= 0.2 - 1e-9
    assert spread([0.1, 0.9], 0.2) == [0.1, 0.9], "what is apart stays"


@pytest.mark.parametrize("number", [3, 40])
def test_no_name_covers_another(number):
    """All points are in one place."""
    figure = new_figure(6, height_for(number) + 1.6)
    axes = figure.subplots()
    axes.set_ylim(0, 1)
    names = [f"variant_{index}" for index in range(number)]
    label_beside(
        axes,
        dict.fromkeys(names, (0.5, 0.5)),
        dict.fromkeys(names, "#0072b2"),
    )
    assert [text.get_text() for text in axes.texts] == names
    assert {text.get_color() for text in axes.texts} == {"#0072b2"}
    assert not overlapping(figure)
