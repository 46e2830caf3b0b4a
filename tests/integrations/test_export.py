"""Merging, ONNX, torch.export, and PEFT's format."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.integrations.onnx import (
    Classifier,
    export_onnx,
    export_program,
)
from speechbrain_petl.integrations.peft_format import from_peft, to_peft
from speechbrain_petl.integrations.transformers import merge_to_transformers
from speechbrain_petl.lobes.ast import AST
from transformers import pipeline

HPARAMS = Path(__file__).parents[2] / "recipes" / "ESC50" / "hparams"
YAMLS = sorted(path.stem for path in HPARAMS.glob("*.yaml"))
HEAD = "!name:speechbrain_petl.lobes.heads.NormedLinear"


@pytest.fixture
def load(make_artefact, tmp_path, tiny_folder):
    """Makes an artefact and loads it."""

    def make(yaml, **overrides):
        make_artefact(tmp_path / yaml, yaml, **overrides)
        return Artefact.open(tmp_path / yaml).load(AST(tiny_folder))

    return make


@pytest.fixture
def stock_head(monkeypatch):
    """Lets recipes' YAMLs have the head of Hugging Face's AST."""
    read = Path.read_text

    def read_text(path, *args, **kwargs):
        text = read(path, *args, **kwargs)
        return text.replace(
            "classifier: !name:torch.nn.Linear", f"classifier: {HEAD}"
        )

    monkeypatch.setattr(Path, "read_text", read_text)


def logits(trained, wavs):
    """Logits of whole clips."""
    with torch.no_grad():
        return Classifier(trained)(wavs, torch.ones(len(wavs)))


@pytest.mark.parametrize(
    "yaml", ["lora", "lora_qkvo", "bitfit", "full_ft", "linear"]
)
def test_merged_for_stock_transformers(load, stock_head, tmp_path, yaml):
    trained = load(yaml, pooling="cls_dist", labels=["dog", "cat", "rain"])
    before = {k: t.clone() for k, t in trained.encoder.named_tensors().items()}
    assert merge_to_transformers(trained, tmp_path / "merged") < 1e-4
    after = trained.encoder.named_tensors()
    assert all(torch.equal(after[k], t) for k, t in before.items())

    wave = torch.rand(7000, generator=torch.Generator().manual_seed(1)) - 0.5
    expected = logits(trained, wave[None])[0].softmax(0)
    classify = pipeline("audio-classification", str(tmp_path / "merged"))
    found = classify({"raw": wave.numpy(), "sampling_rate": 16000}, top_k=3)
    for one in found:
        index = trained.labels.index(one["label"])
        assert one["score"] == pytest.approx(expected[index].item(), abs=1e-4)
    for name in ("config.json", "preprocessor_config.json"):
        assert (
            str(tmp_path.parent) not in (tmp_path / "merged" / name).read_text()
        )


def test_what_a_stock_model_cannot_express(load, stock_head, tmp_path):
    with pytest.raises(ValueError, match="trained with pooling mean"):
        merge_to_transformers(load("lora"), tmp_path / "merged")
    with pytest.raises(ValueError, match="cannot be merged"):
        trained = load("adapter_hou_par", pooling="cls_dist")
        merge_to_transformers(trained, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_a_linear_head_is_refused(load, tmp_path):
    with pytest.raises(ValueError, match="trained with a Linear"):
        merge_to_transformers(load("lora", pooling="cls_dist"), tmp_path / "m")


def check_onnx(trained, path):
    """Runs an ONNX file on batches of other sizes than it was made with."""
    onnxruntime = pytest.importorskip("onnxruntime")
    assert export_onnx(trained, path) <= 1e-4
    session = onnxruntime.InferenceSession(path)
    for n in (1, 5):
        wavs = torch.rand(n, trained.compute_features.clip_samples) - 0.5
        lens = torch.ones(n)
        found = session.run(None, {"wavs": wavs.numpy(), "lens": lens.numpy()})
        expected = logits(trained, wavs)
        assert torch.allclose(torch.from_numpy(found[0]), expected, atol=1e-4)
    facts = session.get_modelmeta().custom_metadata_map
    assert json.loads(facts["labels"]) == trained.labels
    assert facts["sample_rate"] == "16000"
    assert b"/tiny_ast" not in Path(path).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("yaml", YAMLS)
def test_every_variant_as_onnx(load, tmp_path, yaml):
    check_onnx(load(yaml), tmp_path / "model.onnx")


def test_torch_export(load, tmp_path):
    trained = load("adapter_hou_par")
    assert export_program(trained, tmp_path / "model.pt2") <= 1e-4
    facts = {"facts.json": ""}
    program = torch.export.load(tmp_path / "model.pt2", extra_files=facts)
    wavs = torch.rand(3, trained.compute_features.clip_samples) - 0.5
    found = program.module()(wavs, torch.ones(3))
    assert torch.allclose(found, logits(trained, wavs), atol=1e-5)
    assert json.loads(json.loads(facts["facts.json"])["labels"]) == list("abc")


def test_an_export_that_differs_is_not_written(load, tmp_path, monkeypatch):
    monkeypatch.setattr("speechbrain_petl.integrations.onnx.TOLERANCE", -1.0)
    with pytest.raises(ValueError, match="nothing was written"):
        export_program(load("linear"), tmp_path / "model.pt2")
    assert not list(tmp_path.glob("*.pt2")) + list(tmp_path.glob(".*.pt2"))


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
