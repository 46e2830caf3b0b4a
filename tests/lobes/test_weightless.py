"""Backbones without memory, of the shapes of their checkpoints."""

import pytest
import torch
from speechbrain_petl.lobes.ast import AST
from speechbrain_petl.lobes.families import load_backbone
from speechbrain_petl.lobes.weightless import (
    DEFAULT_SIZES,
    is_weightless,
    known_config,
    weightless,
)


def shapes(model):
    """The shape of each tensor, by name."""
    return {k: tuple(t.shape) for k, t in model.state_dict().items()}


def test_the_shapes_are_those_of_the_checkpoint(tiny_folder):
    with weightless():
        empty = AST(tiny_folder, max_length=60)
    assert all(tensor.is_meta for tensor in empty.state_dict().values())
    assert not empty.training and not any(
        p.requires_grad for p in empty.parameters()
    )
    assert shapes(empty) == shapes(AST(tiny_folder, max_length=60))
    out = empty(torch.zeros(2, 60, 128, device="meta"))
    assert out.shape == (2, 192)


def test_a_folder_without_weights_will_do(tiny_folder, tmp_path):
    config = AST(tiny_folder).config
    config.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="No AST can be loaded"):
        AST(str(tmp_path))
    with weightless():
        assert AST(str(tmp_path)).config.hidden_size == 192


@pytest.mark.parametrize(
    "source, parameters",
    # As their checkpoints have them, without the heads and wav2vec 2.0's
    # vector of masked frames, which is no parameter here
    list(zip(DEFAULT_SIZES, (86_187_264, 94_371_712 - 768))),
)
def test_what_recipes_name_is_known_without_a_network(
    source, parameters, monkeypatch
):
    monkeypatch.setattr("socket.socket", None)  # whoever asks the hub fails
    assert known_config(source, None) is not None
    with weightless():
        backbone = load_backbone(source, max_length=1024)  # AST's own
        front_end = backbone.front_end()
    assert sum(t.numel() for t in backbone.parameters()) == parameters
    assert front_end is not None


def test_it_ends():
    assert known_config("no/where", None) is None
    with pytest.raises(RuntimeError, match="on purpose"), weightless():
        assert is_weightless()
        raise RuntimeError("on purpose")
    assert not is_weightless() and not torch.zeros(1).is_meta
