"""LoRA: rank, scale, merging; other libraries' layers at the same sites."""

from functools import partial

import peft
import pytest
import torch
from speechbrain_petl.lobes.lora import LoRA
from speechbrain_petl.lobes.peft import PEFTLayer
from speechbrain_petl.lobes.petl import PETLModel
from torch import nn

from speechbrain.nnet.adapters import LoRA as SpeechBrainLoRA


def randomise(model):
    """Gives every trained tensor of a model random values."""
    torch.manual_seed(0)
    for tensor in model.delta().values():
        if tensor.requires_grad:
            nn.init.normal_(tensor.data, std=0.1)


def feats(ast):
    """A batch of random features."""
    torch.manual_seed(1)
    return torch.randn(2, ast.config.max_length, ast.config.num_mel_bins)


def test_rank_and_scale():
    linear = nn.Linear(768, 768)
    paper = LoRA(linear, reduction_rate=64, alpha=8)
    assert paper.down.out_features == 12 and paper.scale == 8 / 64
    usual = LoRA(linear, rank=4, alpha=8)
    assert usual.down.out_features == 4 and usual.scale == 2


def test_value():
    linear = nn.Linear(6, 5)
    lora = LoRA(linear, rank=2, alpha=3, identity=False)
    x = torch.randn(4, 6)
    low = x @ lora.down.weight.T @ lora.up.weight.T
    torch.testing.assert_close(lora(x), linear(x) + 1.5 * low)
    torch.testing.assert_close(lora.merge()(x), lora(x))
    assert lora.merge().bias is linear.bias


def test_dropout_only_in_training():
    lora = LoRA(nn.Linear(64, 64), rank=8, dropout=0.5, identity=False)
    x = torch.randn(4, 64)
    assert not torch.equal(lora.train()(x), lora(x))
    assert torch.equal(lora.eval()(x), lora(x))


@pytest.mark.parametrize(
    "options, message",
    [
        ({}, "either reduction_rate or rank, not neither"),
        ({"rank": 2, "reduction_rate": 2}, "not both"),
        ({"rank": 0}, "rank is between 1 and 8, not 0"),
        ({"reduction_rate": 100}, "leaves no unit of 8"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        LoRA(nn.Linear(8, 8), **options)


def test_only_over_linear_layers(tiny_ast):
    with pytest.raises(ValueError, match="LoRA goes over a linear layer"):
        PETLModel(tiny_ast, {"norm_ffn": partial(LoRA, rank=2)})


def test_two_loras_merge_one_after_the_other(tiny_ast):
    lora = partial(LoRA, rank=2)
    model = PETLModel(
        tiny_ast, {"query": [lora, lora], "ffn_up": lora}, ["norm_final"]
    )
    randomise(model)
    merged = model.merge()
    torch.testing.assert_close(merged(feats(tiny_ast)), model(feats(tiny_ast)))
    assert [type(m) for m in merged.modules()] == [
        type(m) for m in tiny_ast.modules()
    ]
    token, stock = (m.model.embeddings.cls_token for m in (merged, tiny_ast))
    assert token.data_ptr() == stock.data_ptr()


OTHERS = {
    "speechbrain": partial(SpeechBrainLoRA, rank=4),
    "peft_lora": partial(PEFTLayer, config=partial(peft.LoraConfig, r=4)),
    "peft_dora": partial(
        PEFTLayer, config=partial(peft.LoraConfig, r=4, use_dora=True)
    ),
    "peft_vera": partial(PEFTLayer, config=partial(peft.VeraConfig, r=4)),
    "peft_ia3": partial(
        PEFTLayer, config=partial(peft.IA3Config, feedforward_modules=[])
    ),
}


@pytest.mark.parametrize("wrapper", OTHERS.values(), ids=OTHERS)
def test_layers_of_other_libraries(tiny_ast, wrapper, tmp_path):
    insertions = {"query": wrapper, "value": wrapper}
    x = feats(tiny_ast)
    model = PETLModel(tiny_ast, insertions, ["norm_final"])
    torch.testing.assert_close(model(x), tiny_ast(x))
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, 0.1)
    for _ in range(2):
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()
    delta = model.delta()
    assert all(
        n.split(".")[0] in ("query", "value", "norm_final") for n in delta
    )
    for name, tensor in delta.items():
        if tensor.requires_grad:
            assert tensor.grad is not None and tensor.grad.any(), name
    assert not torch.allclose(model(x), tiny_ast(x))
    model.save(tmp_path / "delta.safetensors")
    other = PETLModel(tiny_ast, insertions, ["norm_final"])
    other.recover(tmp_path / "delta.safetensors")
    assert torch.equal(other(x), model(x))
