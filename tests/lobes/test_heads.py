"""Heads other than a linear layer."""

import torch
from speechbrain_petl.lobes.heads import NormedLinear
from transformers import ASTConfig
from transformers.models.audio_spectrogram_transformer import (
    modeling_audio_spectrogram_transformer as stock,
)


def test_it_is_the_head_of_hugging_faces_ast():
    theirs = stock.ASTMLPHead(ASTConfig(hidden_size=8, num_labels=3))
    ours = NormedLinear(8, 3)
    torch.nn.init.normal_(theirs.layernorm.weight)
    torch.nn.init.normal_(theirs.layernorm.bias)
    ours.load_state_dict(theirs.state_dict())
    # So small that the epsilon counts.
    x = torch.randn(4, 8) * 1e-5
    assert torch.equal(ours(x), theirs(x))


def test_logits_do_not_depend_on_the_scale_of_embeddings():
    head, x = NormedLinear(8, 3), torch.randn(4, 8)
    torch.testing.assert_close(head(10 * x + 2), head(x))
