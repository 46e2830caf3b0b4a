"""Merging into a stock classifier, and which artefacts do so as they come."""

import re
from pathlib import Path

import pytest
import torch
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.integrations.transformers import merge_to_transformers
from speechbrain_petl.lobes.ast import AST
from transformers import ASTForAudioClassification, pipeline

from tests.integrations.converted import logits
from tests.lobes.test_invariants import MERGE

HPARAMS = Path(__file__).parents[2] / "recipes" / "ESC50" / "hparams"
# A stock classifier's pooling and what folds: METHODS.md and merge --help
# name the same.
AS_THEY_COME = sorted(
    name
    for name in MERGE
    if "\npooling: cls_dist" in (HPARAMS / f"{name}.yaml").read_text()
)


def test_the_page_names_them():
    page = (HPARAMS.parents[2] / "docs" / "METHODS.md").read_text()
    (named,) = re.findall(r"(?m)^(`[^.]*) cost nothing once trained", page)
    assert sorted(re.findall(r"`(\w+)`", named)) == AS_THEY_COME


@pytest.mark.parametrize("yaml", AS_THEY_COME)
def test_it_merges_as_it_comes(yaml, make_artefact, tiny_folder, tmp_path):
    """A stock model of as many parameters as before computes the same."""
    make_artefact(tmp_path / "artefact", yaml, labels=["dog", "cat"])
    trained = Artefact.open(tmp_path / "artefact").load(AST(tiny_folder))
    assert merge_to_transformers(trained, tmp_path / "merged") <= 1e-4
    stock = ASTForAudioClassification.from_pretrained(tmp_path / "merged")
    feats = torch.randn(2, 48, 128)
    with torch.no_grad():
        want = trained.classifier(trained.encoder(feats))
        found = stock.eval()(feats).logits
    torch.testing.assert_close(found, want, rtol=1e-5, atol=1e-5)
    backbone = sum(p.numel() for p in trained.encoder.merge().parameters())
    head = sum(p.numel() for p in trained.classifier.parameters())
    assert sum(p.numel() for p in stock.parameters()) == backbone + head


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
