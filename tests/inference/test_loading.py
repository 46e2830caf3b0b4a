"""What all interfaces on artefacts share."""

import pytest
import torch
from speechbrain_petl.inference.loading import OnArtefact, Unchanged


def test_what_is_unchanged():
    feats = torch.rand(2, 3)
    assert Unchanged()(feats, torch.ones(2)) is feats


def test_a_name_that_is_gone_is_one_sentence(tmp_path):
    (tmp_path / "hyperparams.yaml").write_text(
        "x: !new:speechbrain_petl.Gone\n"
    )
    with pytest.raises(ValueError, match="names something that is not there"):
        OnArtefact.from_hparams(str(tmp_path), savedir=None)
