"""Windows: every sample is heard, and outputs are averaged as they should."""

from types import SimpleNamespace

import pytest
import torch
from speechbrain_petl.dataio.windows import average, cut

FRONT_END = SimpleNamespace(clip_samples=100, hop_samples=10, windows=None)


@pytest.mark.parametrize(
    "total, shape",
    [
        (50, (1, 50)),
        (109, (1, 109)),  # the rest is no whole frame
        (110, (2, 100)),
        (200, (2, 100)),
        (201, (3, 100)),
    ],
)
def test_windows_cover_the_clip(total, shape):
    waveform = torch.arange(total)
    windows = cut(waveform, FRONT_END)
    assert windows.shape == shape
    assert windows.unique().equal(waveform)
    assert windows[0, 0] == 0 and windows[-1, -1] == total - 1


@pytest.mark.parametrize(
    "windows, total, starts",
    [(1, 500, [0]), (3, 500, [0, 200, 400]), (9, 50, [0]), (2, 110, [0, 10])],
)
def test_a_number_of_windows(windows, total, starts):
    front_end = SimpleNamespace(**{**vars(FRONT_END), "windows": windows})
    found = cut(torch.arange(total), front_end)
    assert found[:, 0].tolist() == starts
    assert found.shape[1] == (100 if len(starts) > 1 else total)


def test_average_is_of_probabilities():
    probabilities = torch.tensor([[1.0, 0.0], [0.2, 0.8]])
    found = average(probabilities.log()).exp()
    torch.testing.assert_close(found, torch.tensor([0.6, 0.4]))
