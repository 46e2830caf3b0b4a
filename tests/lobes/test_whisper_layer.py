"""Whisper's layer equals the stock one, and has a module for each site."""

from functools import partial

import torch
from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.insertion import Parallel
from speechbrain_petl.lobes.lora import LoRA
from speechbrain_petl.lobes.petl import PETLModel

lora = partial(LoRA, rank=2)


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
