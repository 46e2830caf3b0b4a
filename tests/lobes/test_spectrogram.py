"""Backbones that read spectrograms read them in one size."""

import pytest
import torch
from speechbrain_petl.lobes.spectrogram import SpectrogramBackbone
from speechbrain_petl.lobes.whisper import Whisper


@pytest.fixture(params=["ast", "whisper"])
def backbone(request, tiny_ast, whisper_folder):
    """A small one of each kind."""
    if request.param == "ast":
        return tiny_ast
    return Whisper(whisper_folder, max_length=40)


def test_front_end_and_backbone_agree(backbone):
    assert isinstance(backbone, SpectrogramBackbone)
    front_end = backbone.front_end()
    assert front_end.n_mels == backbone.input_shape[1]
    feats = front_end(torch.rand(2, 8000) - 0.5, torch.tensor([1.0, 0.5]))
    assert feats.shape[1:] == backbone.input_shape
    tokens = backbone.tokens(feats)
    torch.testing.assert_close(backbone(feats), backbone.pool(tokens))


@pytest.mark.parametrize("more", [(1, 0), (0, 1), (-1, 0)])
def test_other_sizes_are_refused(backbone, more):
    shape = [n + m for n, m in zip(backbone.input_shape, more, strict=True)]
    name = type(backbone).__name__
    with pytest.raises(ValueError, match=f"as the {name}"):
        backbone(torch.rand(1, *shape))
