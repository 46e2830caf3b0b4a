"""LoRA to and from PEFT's format."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from speechbrain_petl.integrations.peft_format import from_peft, to_peft
from speechbrain_petl.integrations.transformers import merge_to_transformers
from speechbrain_petl.lobes.ast import AST


@pytest.fixture
def peft_folder(load, tmp_path):
    """LoRA in PEFT's format, and what it was made from."""
    pytest.importorskip("peft")
    trained = load("lora")
    assert to_peft(trained, tmp_path / "peft") < 1e-4
    return tmp_path / "peft", trained


def feats(n=2):
    """Features [n, 48, 128]."""
    return torch.rand(n, 48, 128, generator=torch.Generator().manual_seed(n))


def test_to_peft(peft_folder, tiny_folder):
    from peft import PeftModel

    folder, trained = peft_folder
    base = AST(tiny_folder, max_length=48).model
    model = PeftModel.from_pretrained(base, folder).eval()
    expected = trained.encoder.model.tokens(feats())
    assert torch.allclose(model(feats()).last_hidden_state, expected, atol=1e-5)
    assert tiny_folder not in (folder / "adapter_config.json").read_text()
    assert "weight" in load_file(folder / "head.safetensors")


def test_from_peft(peft_folder, tiny_folder):
    folder, trained = peft_folder
    again = from_peft(folder, AST(tiny_folder, max_length=48))
    expected, found = trained.encoder.delta(), again.delta()
    assert expected.keys() == found.keys()
    assert all(torch.equal(found[name], t) for name, t in expected.items())
    assert torch.equal(again(feats()), trained.encoder(feats()))


def test_from_peft_with_the_names_of_transformers_4(peft_folder, tiny_folder):
    folder, trained = peft_folder
    path = folder / "adapter_model.safetensors"
    names = {
        "layers.": "audio_spectrogram_transformer.encoder.layer.",
        "attention.q_proj": "attention.attention.query",
        "attention.v_proj": "attention.attention.value",
    }
    old = {"base_model.model.classifier.dense.weight": torch.zeros(2, 2)}
    for name, tensor in load_file(path).items():
        for new, before in names.items():
            name = name.replace(new, before)
        old[name] = tensor
    save_file(old, path)
    again = from_peft(folder, AST(tiny_folder, max_length=48))
    assert torch.equal(again(feats()), trained.encoder(feats()))


@pytest.mark.parametrize(
    "change",
    [
        {"use_dora": True},
        {"rank_pattern": {"x": 2}},
        {"bias": "all"},
        {"init_lora_weights": "pissa"},
        {"peft_type": "IA3"},
    ],
)
def test_from_peft_takes_plain_lora_only(peft_folder, tiny_ast, change):
    folder = peft_folder[0]
    path = folder / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(
        ValueError, match=f"not plain LoRA .*{next(iter(change))}"
    ):
        from_peft(folder, tiny_ast)


def test_from_peft_names_what_is_wrong(peft_folder, tiny_ast):
    folder = peft_folder[0]
    path = folder / "adapter_model.safetensors"
    tensors = load_file(path)
    tensors["base_model.model.layers.99.attention.q_proj.lora_A.weight"] = (
        torch.zeros(2, 2)
    )
    save_file(tensors, path)
    with pytest.raises(
        ValueError, match="layers.99.* is no module of this AST"
    ):
        from_peft(folder, tiny_ast)
    shutil.rmtree(folder)
    with pytest.raises(ValueError, match="no adapter_config.json"):
        from_peft(folder, tiny_ast)


@pytest.mark.parametrize("yaml", ["adapter_hou_par", "adapter_lora", "linear"])
def test_only_lora_goes_to_peft(load, tmp_path, yaml):
    pytest.importorskip("peft")
    with pytest.raises(ValueError, match="PEFT's format"):
        to_peft(load(yaml), tmp_path / "peft")
    assert not (tmp_path / "peft").exists()


@pytest.mark.fault("a folder to replace that holds something else")
def test_only_own_folders_are_replaced(load, stock_head, tmp_path):
    pytest.importorskip("peft")
    trained = load("lora", pooling="cls_dist")
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.json").write_text("{}")
    for write in (to_peft, merge_to_transformers):
        with pytest.raises(ValueError, match="config.json', which is not to"):
            write(trained, home)
        assert (home / "config.json").read_text() == "{}"
        for _ in range(2):
            write(trained, tmp_path / write.__name__)
