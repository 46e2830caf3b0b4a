"""Windows: every sample is heard, and outputs are averaged as they should."""

from types import SimpleNamespace

import pytest
import torch
from speechbrain_petl.inference.windows import average, check_rows, cut

FRONT_END = SimpleNamespace(clip_samples=100, hop_samples=10)


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


def test_average_is_of_probabilities():
    probabilities = torch.tensor([[1.0, 0.0], [0.2, 0.8]])
    found = average(probabilities.log()).exp()
    torch.testing.assert_close(found, torch.tensor([0.6, 0.4]))


def test_the_first_clip_that_is_not_finite_is_named():
    outputs = torch.zeros(4, 3)
    check_rows(outputs)
    outputs[2, 1], outputs[3, 0] = float("inf"), float("nan")
    with pytest.raises(ValueError, match="clip 2 of the batch is not finite"):
        check_rows(outputs)
