"""Rewired modules compute what the stock ones do, and become stock again."""

from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.insertion import Parallel
from speechbrain_petl.lobes.lora import LoRA
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.prompts import PassingPrompts
from torch import nn
from transformers import WavLMConfig, WavLMModel, WhisperConfig, WhisperModel

lora = partial(LoRA, rank=2)


def random(model):
    """The model with no tensor of it trivial."""
    generator = torch.Generator().manual_seed(5)
    for tensor in model.state_dict().values():
        nn.init.normal_(tensor, std=0.3, generator=generator)
    return model.eval()


@pytest.fixture(params=[False, True], ids=["after", "before"])
def wavlm(request):
    """A stock WavLM, with norms after or before the sub-layers."""
    config = WavLMConfig(
        hidden_size=24,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=32,
        conv_dim=[16] * 7,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        num_buckets=8,
        max_bucket_distance=6,
        do_stable_layer_norm=request.param,
    )
    return random(WavLMModel(config))


@pytest.fixture
def whisper():
    """A stock Whisper's encoder."""
    config = WhisperConfig(
        d_model=24,
        encoder_layers=2,
        encoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_layers=1,
        decoder_attention_heads=2,
        decoder_ffn_dim=8,
        max_source_positions=20,
    )
    return random(WhisperModel(config)).encoder


@pytest.mark.parametrize("padded", [False, True])
def test_wavlms_attention_equals_the_stock_one(wavlm, padded):
    x = torch.randn(2, 7000)
    mask = torch.ones(2, 7000, dtype=torch.long)
    mask[1, 4000:] = 0
    kwargs = {"attention_mask": mask} if padded else {}
    want = wavlm(x, **kwargs).last_hidden_state
    found = PETLModel(wavlm)(x, **kwargs).last_hidden_state
    torch.testing.assert_close(found, want, rtol=0, atol=1e-5)


def test_lora_on_wavlm_trains_and_merges_into_a_stock_model(wavlm):
    roles = ("query", "key", "value", "output")
    model = PETLModel(wavlm, dict.fromkeys(roles, lora))
    x = torch.randn(2, 4000)
    optimizer = torch.optim.Adam(model.delta().values(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        model(x).last_hidden_state.square().mean().backward()
        optimizer.step()
    for name, tensor in model.delta().items():
        assert tensor.grad.any(), name
    merged = model.merge()
    kinds = [type(module) for module in wavlm.modules()]
    assert [type(module) for module in merged.modules()] == kinds
    output = model(x).last_hidden_state
    assert not torch.allclose(output, wavlm(x).last_hidden_state, atol=1e-3)
    torch.testing.assert_close(
        merged(x).last_hidden_state, output, rtol=1e-4, atol=1e-5
    )


def test_prompts_in_some_layers_of_wavlm_are_refused(wavlm):
    prompts = partial(PassingPrompts, n_prompts=3)
    model = PETLModel(wavlm, {"layer[1:]": prompts})
    with pytest.raises(ValueError, match="reads 15 tokens, but the first one"):
        model(torch.randn(1, 4000))


def test_whispers_layer_equals_the_stock_one(whisper):
    x = torch.randn(2, 80, 40)
    found = PETLModel(whisper)(x).last_hidden_state
    assert torch.equal(found, whisper(x).last_hidden_state)


def test_whispers_ffn_is_one_site(whisper):
    adapter = partial(Bottleneck, reduction_rate=6, identity=False)
    model = PETLModel(whisper, {"ffn": partial(Parallel, adapter=adapter)})
    layer, stock = model.model.layers[0], whisper.layers[0]
    x = torch.randn(2, 20, 24)
    normed = stock.final_layer_norm
    middle = x + stock.self_attn(stock.self_attn_layer_norm(x))[0]
    read = normed(middle)
    ffn = stock.fc2(stock.activation_fn(stock.fc1(read)))
    want = middle + ffn + layer.ffn.adapter(read)
    torch.testing.assert_close(layer(x), want, rtol=0, atol=1e-5)


def test_a_merged_whisper_is_stock(whisper):
    model = PETLModel(whisper, {"ffn_up": lora, "query": lora})
    merged = model.merge()
    assert merged.state_dict().keys() == whisper.state_dict().keys()
    kinds = [type(module) for module in whisper.modules()]
    assert [type(module) for module in merged.modules()] == kinds
    x = torch.randn(2, 80, 40)
    assert torch.equal(merged(x).last_hidden_state, model(x).last_hidden_state)


def test_the_stock_model_stays_stock(wavlm, whisper):
    PETLModel(wavlm), PETLModel(whisper)
    kinds = {type(m).__name__ for m in (*wavlm.modules(), *whisper.modules())}
    assert {"WavLMAttention", "WhisperEncoderLayer"} <= kinds
    assert not {"CallingAttention", "WhisperLayer", "FeedForward"} & kinds
