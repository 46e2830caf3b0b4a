"""How figures look, and how they are written."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from speechbrain_petl.experiments.reporting.figures.accuracy import (
    against_parameters,
)
from speechbrain_petl.experiments.reporting.figures.style import (
    looks,
    palette,
    write_figure,
)

from tests.experiments.reporting.figures.drawn import LINES


def test_looks_differ_in_greyscale_too():
    styles = looks(12)
    marks = {(look["marker"], look["linestyle"]) for look in styles}
    assert len(marks) == 12
    grey = sorted(
        np.dot(to_rgb(look["color"]), (0.299, 0.587, 0.114))
        for look in styles[:5]
    )
    assert min(np.diff(grey)) > 0.05


@pytest.mark.parametrize("number", [2, 10, 30])
def test_no_color_of_a_palette_comes_twice(number):
    colors = palette(number)
    assert len(set(colors)) == number
    assert [look["color"] for look in looks(number, colors)] == colors


def test_the_same_figure_gives_the_same_files(tmp_path):
    first, second = (
        [file.read_bytes() for file in write_figure(figure, tmp_path / "f")]
        for figure in (against_parameters(LINES, "x") for _ in range(2))
    )
    assert first == second
    assert first[0].startswith(b"\x89PNG") and b"<svg" in first[1]
