"""Pictures as PNG files."""

import io

import numpy as np
from PIL import Image
from speechbrain_petl.utils.png import HEAT, heat_png, rgb_png


def test_pixels_come_back():
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 3), np.uint8)
    found = np.array(Image.open(io.BytesIO(rgb_png(pixels))))
    assert (found == pixels).all()


def test_small_numbers_are_dark():
    found = np.array(Image.open(io.BytesIO(heat_png(np.array([[-3.0, 9.0]])))))
    assert found.tolist() == [[list(HEAT[0]), list(HEAT[-1])]]
    flat = np.array(Image.open(io.BytesIO(heat_png(np.full((2, 2), 5.0)))))
    assert (flat == HEAT[0]).all()
