"""Holds for the whole suite, doctests included."""

import os

import pytest

# The suite needs no network; a test that asks the hub for anything fails.
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """A tiny AST in Hugging Face's format, no tensor of it trivial."""
    import torch
    from transformers import ASTConfig, ASTModel

    config = ASTConfig(
        hidden_size=192,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=128,
        max_length=100,
        frequency_stride=16,
        time_stride=16,
    )
    model = ASTModel(config)
    generator = torch.Generator().manual_seed(7)
    for name, tensor in model.state_dict().items():
        torch.nn.init.normal_(tensor, std=0.1, generator=generator)
        if "layernorm" in name and name.endswith("weight"):
            tensor += 1.0
    folder = tmp_path_factory.mktemp("tiny_ast")
    model.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def tiny_ast(tiny_folder):
    """The tiny AST as a lobe."""
    from speechbrain_petl.lobes.ast import AST

    return AST(tiny_folder)
