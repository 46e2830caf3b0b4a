"""Artefacts of every family of backbones, and all that is done with them."""

import os
import runpy
from pathlib import Path

import pytest
import torch
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.inference import AdapterBank, PETLClassifier
from speechbrain_petl.integrations.onnx import export_onnx, export_program
from speechbrain_petl.integrations.peft_format import from_peft, to_peft
from speechbrain_petl.integrations.transformers import (
    merge_to_transformers,
    reads_clips_of,
)
from speechbrain_petl.lobes.families import load_backbone
from transformers import pipeline

ROOT = Path(__file__).parents[2]
MATRIX = runpy.run_path(str(ROOT / "tools" / "backbone_matrix.py"))
FAMILIES = list(MATRIX["FAMILIES"])


@pytest.fixture
def load(family_artefact, family_source):
    """``load(family, yaml, **overrides)``: an artefact, loaded."""

    def make(family, yaml, **more):
        opened = Artefact.open(family_artefact(family, yaml, **more))
        return opened.load(opened.backbone(family_source(family)))

    return make


def clips():
    """Three clips [3, 6000] of different lengths, and these."""
    generator = torch.Generator().manual_seed(1)
    lens = torch.tensor([1.0, 0.4, 0.7])
    wavs = torch.rand(3, 6000, generator=generator) - 0.5
    return wavs * (torch.arange(6000) < (lens * 6000)[:, None]), lens


@pytest.mark.parametrize("family", FAMILIES)
def test_all_ways_give_the_same(
    family, family_artefact, load, family_source, monkeypatch, tmp_path
):
    """Also for a clip alone as in a padded batch, and two tasks in one bank."""
    folders = {yaml: family_artefact(family, yaml) for yaml in ("lora", "ipet")}
    source = Path(family_source(family))
    monkeypatch.setenv("SPEECHBRAIN_PETL_BACKBONES", os.fspath(source.parent))
    wavs, lens = clips()
    bank = AdapterBank()
    expected = {}
    for yaml, folder in folders.items():
        trained = load(family, yaml)
        with torch.no_grad():
            feats = trained.compute_features(wavs, lens)
            logits = trained.classifier(trained.encoder(feats, lens))
        expected[yaml] = logits.log_softmax(dim=-1)
        classifier = PETLClassifier.from_hparams(
            source=str(folder), savedir=str(tmp_path / yaml)
        )
        posteriors, *_ = classifier.classify_batch(wavs, lens)
        torch.testing.assert_close(posteriors, expected[yaml])
        for row, n in enumerate((lens * 6000).round().int().tolist()):
            alone, *_ = classifier.classify_batch(wavs[row : row + 1, :n])
            torch.testing.assert_close(
                alone[0], posteriors[row], rtol=1e-4, atol=1e-5
            )
        bank.add(yaml, folder)
    frozen = [
        bank[task].encoder.named_tensors()["ffn_up.0.weight"].data_ptr()
        for task in folders
    ]
    assert len(set(frozen)) == 1, "one backbone for both"
    tasks = ["ipet", "lora", "ipet"]
    found = bank.classify_batch(wavs, lens, tasks=tasks)
    for row, task in enumerate(tasks):
        torch.testing.assert_close(
            found[row].posteriors, expected[task][row], rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("family", FAMILIES)
def test_the_yaml_names_classes(family, family_artefact):
    """The functions that chose a class by the checkpoint are gone."""
    text = (family_artefact(family, "lora") / "hyperparams.yaml").read_text()
    assert "load_backbone" not in text and "front_end_of" not in text


@pytest.mark.parametrize("yaml", ["lora", "full_ft"])
@pytest.mark.parametrize("family", [f for f in FAMILIES if f != "AST"])
def test_merged_for_stock_transformers(family, yaml, load, tmp_path):
    """AST's own head and pooling are tested in tests/integrations."""
    trained = load(family, yaml, max_length=100)
    assert merge_to_transformers(trained, tmp_path / "merged") < 1e-4
    whisper = family.startswith("Whisper")
    assert ("any length" in reads_clips_of(trained)) == whisper
    n_samples = 9000 if whisper else 16000
    wav = torch.rand(1, n_samples) - 0.5
    with torch.no_grad():
        feats = trained.compute_features(wav)
        logits = trained.classifier(trained.encoder(feats))
    classify = pipeline("audio-classification", str(tmp_path / "merged"))
    heard = {"raw": wav[0].numpy(), "sampling_rate": 16000}
    for one in classify(heard, top_k=3):
        index = trained.labels.index(one["label"])
        wanted = logits.softmax(-1)[0, index].item()
        assert one["score"] == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("family", ["wav2vec 2.0", "Whisper's encoder"])
def test_what_a_stock_classifier_cannot_express(family, load, tmp_path):
    for yaml, message in {
        "ipet": "Tap at .* cannot be merged",
        "adapter_hou_par": "Parallel at .* cannot be merged",
    }.items():
        with pytest.raises(ValueError, match=message):
            merge_to_transformers(load(family, yaml), tmp_path / "merged")
    two = load(family, "lora", pooling="mean_std", max_length=100)
    with pytest.raises(ValueError, match="trained with pooling mean_std"):
        merge_to_transformers(two, tmp_path / "merged")
    if family.startswith("Whisper"):
        with pytest.raises(ValueError, match="counts whole seconds"):
            merge_to_transformers(load(family, "lora"), tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize("family", FAMILIES)
def test_peft_both_ways(family, load, family_source, tmp_path):
    pytest.importorskip("peft")
    trained = load(family, "lora")
    if family.startswith("WavLM"):
        with pytest.raises(ValueError, match="PEFT's layers change nothing"):
            to_peft(trained, tmp_path / "peft")
        assert not (tmp_path / "peft").exists()
        return
    assert to_peft(trained, tmp_path / "peft") < 1e-4
    lobe = load_backbone(family_source(family), max_length=24)
    again = from_peft(tmp_path / "peft", lobe)
    inputs = torch.rand(2, *lobe.input_shape)
    torch.testing.assert_close(again(inputs), trained.encoder(inputs))
    with pytest.raises(ValueError, match="cannot hold it|no LoRA layer"):
        to_peft(load(family, "ipet"), tmp_path / "other")


@pytest.mark.parametrize(
    "family", ["wav2vec 2.0", "WavLM", "data2vec-audio", "Whisper's encoder"]
)
@pytest.mark.traced
def test_exported_programs(family, load, tmp_path):
    """ONNX and torch.export; each compares what it wrote with the model."""
    trained = load(family, "ipet")
    assert export_program(trained, tmp_path / "model.pt2") <= 1e-4
    program = torch.export.load(tmp_path / "model.pt2").module()
    wavs = torch.rand(3, trained.compute_features.clip_samples) - 0.5
    lens = torch.tensor([1.0, 0.5, 0.8])
    with torch.no_grad():
        feats = trained.compute_features(wavs, lens)
        expected = trained.classifier(trained.encoder(feats, lens))
    torch.testing.assert_close(
        program(wavs, lens), expected, rtol=1e-4, atol=1e-5
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "family",
    ["wav2vec 2.0", "HuBERT, large", "WavLM", "WavLM, large"]
    + ["data2vec-audio", "Whisper's encoder"],
)
def test_onnx(family, load, tmp_path):
    pytest.importorskip("onnxruntime")
    assert export_onnx(load(family, "ipet"), tmp_path / "model.onnx") <= 1e-4
