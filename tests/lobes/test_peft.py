"""Layers of the peft library: merging, what is saved, options."""

from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.peft import PEFTLayer
from speechbrain_petl.lobes.petl import PETLModel

from speechbrain.nnet.adapters import LoRA as SpeechBrainLoRA

peft = pytest.importorskip("peft")
CONFIGS = {
    "lora": partial(peft.LoraConfig, r=4),
    "dora": partial(peft.LoraConfig, r=4, use_dora=True),
    "rslora": partial(peft.LoraConfig, r=4, use_rslora=True),
    "vera": partial(peft.VeraConfig, r=4),
    "vera_drawn_again": partial(peft.VeraConfig, r=4, save_projection=False),
    "ia3": partial(peft.IA3Config, feedforward_modules=[]),
    "ia3_ffn": partial(peft.IA3Config, feedforward_modules=["layer"]),
}


@pytest.fixture(params=CONFIGS)
def adapted(request, tiny_ast):
    """An AST with layers of peft, away from their start, and features."""
    layer = partial(PEFTLayer, config=CONFIGS[request.param])
    insertions = {"query": layer, "ffn_up": layer}
    model = PETLModel(tiny_ast, insertions).eval()
    torch.manual_seed(0)
    for tensor in model.delta().values():
        if tensor.requires_grad:
            tensor.data += 0.1 * torch.randn_like(tensor)
    x = torch.randn(2, tiny_ast.config.max_length, 128)
    assert not torch.allclose(model(x), tiny_ast(x), atol=1e-3)
    return model, insertions, x


def test_merges(adapted, tiny_ast):
    model, _, x = adapted
    before = {n: t.clone() for n, t in tiny_ast.state_dict().items()}
    merged = model.merge()
    torch.testing.assert_close(merged(x), model(x), rtol=1e-4, atol=1e-5)
    stock = [type(module) for module in tiny_ast.modules()]
    assert [type(module) for module in merged.modules()] == stock
    for name, tensor in tiny_ast.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_a_new_model_loads_the_delta(adapted, tiny_ast):
    model, insertions, x = adapted
    torch.manual_seed(5)
    other = PETLModel(tiny_ast, insertions).eval()
    other.load_delta(model.delta())
    assert torch.equal(other(x), model(x))


def test_what_is_drawn_again_is_not_saved(tiny_ast):
    for saved in (True, False):
        config = partial(peft.VeraConfig, r=4, save_projection=saved)
        model = PETLModel(
            tiny_ast, {"query": partial(PEFTLayer, config=config)}
        )
        assert any("vera_A" in name for name in model.delta()) == saved


CHANGING = ["pissa", "pissa_niter_4", "olora"]


@pytest.mark.parametrize("start", CHANGING)
def test_a_start_that_changes_the_layer_changes_no_other_model(
    tiny_ast, start, tmp_path
):
    """The changed layer is the wrapper's own, and is saved."""
    x = torch.randn(2, tiny_ast.config.max_length, 128)
    before = {n: t.clone() for n, t in tiny_ast.state_dict().items()}
    config = partial(peft.LoraConfig, r=4, init_lora_weights=start)
    insertions = {"query": partial(PEFTLayer, config=config)}
    sibling, expected = PETLModel(tiny_ast), tiny_ast(x)
    model = PETLModel(tiny_ast, insertions).eval()
    for name, tensor in tiny_ast.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert torch.equal(sibling(x), expected)
    torch.testing.assert_close(model(x), expected, rtol=1e-4, atol=1e-4)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, 0.1)
    model(x).square().sum().backward()
    optimizer.step()
    assert not torch.allclose(model(x), expected, rtol=1e-3)
    model.save(tmp_path / "delta.safetensors")
    torch.manual_seed(5)
    other = PETLModel(tiny_ast, insertions).eval()
    other.recover(tmp_path / "delta.safetensors")
    assert torch.equal(other(x), model(x))
    torch.testing.assert_close(model.merge()(x), model(x), rtol=1e-4, atol=1e-4)
    assert torch.equal(sibling(x), expected)


def test_a_start_that_needs_data_is_refused(tiny_ast):
    config = partial(peft.LoraConfig, r=4, init_lora_weights="corda")
    with pytest.raises(ValueError, match="preprocess_corda"):
        PETLModel(tiny_ast, {"query": partial(PEFTLayer, config=config)})


def test_a_finished_configuration_is_refused(tiny_ast):
    layer = partial(PEFTLayer, config=peft.LoraConfig(r=4))
    with pytest.raises(ValueError, match="!name:peft.LoraConfig"):
        PETLModel(tiny_ast, {"query": layer})


def test_a_layer_without_merge_is_named(tiny_ast):
    model = PETLModel(tiny_ast, {"key": partial(SpeechBrainLoRA, rank=2)})
    with pytest.raises(ValueError, match="LoRA at 'key.0' cannot be merged"):
        model.merge()
