"""Prompts, prefixes and IPET: where tokens go, and how many there are."""

from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.ast import AST
from speechbrain_petl.lobes.ipet import ParallelOnInput, Tap
from speechbrain_petl.lobes.lora import LoRA
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.prefix import Prefix, PrefixRows
from speechbrain_petl.lobes.prompts import (
    DeepPrompts,
    InputPrompt,
    PassingPrompts,
    Prompts,
)
from torch import nn


def feats(ast):
    """A batch of random features."""
    torch.manual_seed(1)
    return torch.randn(2, ast.config.max_length, ast.config.num_mel_bins)


def test_prompts_stand_between_special_tokens_and_patches(tiny_ast):
    embeddings = tiny_ast.model.embeddings
    plain = embeddings(feats(tiny_ast))
    prompts = Prompts(embeddings, 5, n_special=2)
    tokens = prompts(feats(tiny_ast))
    assert torch.equal(tokens[:, :2], plain[:, :2])
    assert torch.equal(tokens[1, 2:7], prompts.prompts)
    assert torch.equal(tokens[:, 7:], plain[:, 2:])
    dropped = Prompts(embeddings, 5, True, n_special=2)(feats(tiny_ast))
    assert torch.equal(dropped[:, :1], plain[:, :1])
    assert torch.equal(dropped[:, 6:], plain[:, 2:])


@pytest.mark.parametrize("drop", [False, True])
def test_poolings_pick_their_tokens(tiny_folder, drop):
    for pooling, first, last in (
        ("prompts", 2 - drop, 7 - drop),
        ("patches", 7 - drop, None),
        ("not_special", 2 - drop, None),
    ):
        ast = AST(tiny_folder, pooling=pooling)
        wrapper = partial(Prompts, n_prompts=5, drop_distillation=drop)
        model = PETLModel(ast, {"tokens": wrapper})
        tokens = model.model.tokens(feats(ast))
        expected = tokens[:, first:last].mean(dim=1)
        torch.testing.assert_close(model(feats(ast)), expected)


def test_deep_prompts_replace_those_of_the_layer_before():
    layer = DeepPrompts(nn.Linear(8, 8), 3, n_special=2)
    layer.target.forward = lambda hidden: hidden
    hidden = torch.randn(2, 10, 8)
    out = layer(hidden)
    assert torch.equal(out[:, :2], hidden[:, :2])
    assert torch.equal(out[0, 2:5], layer.prompts)
    assert torch.equal(out[:, 5:], hidden[:, 5:])


def test_passing_prompts_are_seen_and_taken_off(tiny_ast):
    layer = tiny_ast.model.layers[0]
    hidden = torch.randn(2, 10, tiny_ast.config.hidden_size)
    wrapped = PassingPrompts(layer, 4)
    out = wrapped(hidden)
    more = torch.cat([hidden, wrapped.prompts.expand(2, -1, -1)], dim=1)
    torch.testing.assert_close(out, layer(more)[:, :10])


def test_a_prefix_is_attended_to(tiny_ast):
    """Against the formula, written out with plain matrix products."""
    wrap = partial(Prefix, num_tokens=6)
    insertions = {
        "key": wrap,
        "value": wrap,
        "mhsa": partial(PrefixRows, num_tokens=6),
        "query": partial(LoRA, rank=2, identity=False),
    }
    model = PETLModel(tiny_ast, insertions)
    mhsa = model.model.model.layers[0].attention
    x = torch.randn(2, 7, tiny_ast.config.hidden_size)
    stock, heads = mhsa.target, tiny_ast.config.num_attention_heads

    def split(t):
        return t.unflatten(-1, (heads, -1)).transpose(1, 2)

    def with_prefix(wrapper):
        prefix = wrapper.prefix.expand(2, -1, -1)
        return split(torch.cat([wrapper.target(x), prefix], dim=1))

    q = split(stock.q_proj(x))
    k, v = with_prefix(stock.k_proj), with_prefix(stock.v_proj)
    assert k.shape[2] == 7 + 3
    weights = (q @ k.mT / k.shape[-1] ** 0.5).softmax(-1)
    expected = stock.o_proj((weights @ v).transpose(1, 2).flatten(2))
    torch.testing.assert_close(mhsa(x)[0], expected)


def test_the_input_prompt_is_a_frame(tiny_ast):
    prompt = InputPrompt(tiny_ast.model.embeddings, frames=100, border=4)
    nn.init.ones_(prompt.ends), nn.init.ones_(prompt.sides)
    frame = prompt.frame()
    assert frame.shape == (100, 128)
    assert not frame[4:-4, 4:-4].any()
    assert frame.sum() == 100 * 128 - 92 * 120


def test_ipets_adapter_reads_the_residual_stream(tiny_ast):
    adapter = partial(Bottleneck, reduction_rate=8, identity=False)
    insertions = {
        "norm_before_ffn": Tap,
        "ffn": partial(ParallelOnInput, adapter=adapter, scale=0.1),
    }
    model = PETLModel(tiny_ast, insertions)
    layer, stock = model.model.model.layers[0], tiny_ast.model.layers[0]
    x = torch.randn(2, 7, tiny_ast.config.hidden_size)
    middle = x + stock.attention(stock.layernorm_before(x))[0]
    expected = stock(x) + 0.1 * layer.mlp.adapter(middle)
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda ast: Prompts(ast, 0), "n_prompts is 0"),
        (lambda ast: PrefixRows(ast, 7), "num_tokens is 7"),
        (lambda ast: Prefix(ast, 0), "num_tokens is 0"),
        (lambda ast: InputPrompt(ast, 100, border=50), "border is 50"),
    ],
)
def test_bad_options(tiny_ast, make, message):
    with pytest.raises(ValueError, match=message):
        make(tiny_ast)
