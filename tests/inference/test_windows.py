"""Outputs that are not finite are named."""

import pytest
import torch
from speechbrain_petl.inference.windows import check_rows


def test_the_first_clip_that_is_not_finite_is_named():
    outputs = torch.zeros(4, 3)
    check_rows(outputs)
    outputs[2, 1], outputs[3, 0] = float("inf"), float("nan")
    with pytest.raises(ValueError, match="clip 2 of the batch is not finite"):
        check_rows(outputs)
