"""WavLM's attention equals the stock one, and calls its projections."""

from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.lora import LoRA
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.prompts import PassingPrompts

lora = partial(LoRA, rank=2)


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
