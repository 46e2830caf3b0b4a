"""What the tests of figures draw and look at."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from speechbrain_petl.experiments.reporting.figures.accuracy import Point

LINES = {
    "a method": [Point(1e4, 50, 2), Point(1e5, 60, 1), Point(1e6, 61, 3)],
    "another one with a long name": [Point(2e4, 55, 2), Point(3e5, 62)],
    "linear": [Point(0, 40, 1)],
}


def overlapping(figure):
    """Pairs of visible texts of a figure that cover each other."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    boxes = [
        # An annotation's own extent has its line in it.
        (text.get_text(), Text.get_window_extent(text, renderer))
        for text in dict.fromkeys(figure.findobj(Text))
        if text.get_visible() and text.get_text().strip()
    ]
    return [
        (one, other)
        for i, (one, box) in enumerate(boxes)
        for other, second in boxes[i + 1 :]
        if box.overlaps(second)
    ]
