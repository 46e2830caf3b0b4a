"""Which recipes' artefacts become stock classifiers as they come."""

import pytest
import torch
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.integrations.transformers import merge_to_transformers
from speechbrain_petl.lobes.ast import AST
from transformers import ASTForAudioClassification


@pytest.mark.parametrize("yaml", ["lora_stock", "ssf", "rep_adapter"])
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
