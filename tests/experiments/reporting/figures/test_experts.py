"""The share of each expert of a mixture."""

import pytest
import torch
from speechbrain_petl.experiments.reporting.figures.experts import (
    draw_shares,
    expert_shares,
)

from tests.experiments.reporting.figures.drawn import overlapping


def test_shares_of_experts(run, make_artefact, tmp_path):
    shares = expert_shares(run, str(run))
    assert shares.shape == (3, 3), "layers and experts"
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(3))
    assert shares.std(dim=1).max() > 1e-4, "experts differ"
    assert not overlapping(draw_shares(shares, "Soft-MoA"))
    make_artefact(tmp_path / "artefact", "lora")
    with pytest.raises(ValueError, match="is no mixture of adapters"):
        expert_shares(run, str(run))
