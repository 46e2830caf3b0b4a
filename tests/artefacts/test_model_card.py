"""The model card: right facts, and names that are text and nothing else."""

import pytest
from huggingface_hub import ModelCard
from speechbrain_petl.artefacts.model_card import model_card


@pytest.fixture
def metadata():
    """The metadata that a card shows."""
    return {
        "method": "linear",
        "trainable": {"head": 1000, "adapter": 234},
        "training": {"corpus": "ESC-50", "hyperparameters": {"lr": 0.1}},
        "metrics": {"accuracy": 0.5, "macro_f1": 0.25},
        "labels": ["dog", "cat"],
        "backbone": {"source": "MIT/ast", "revision": "v1"},
        "features": {"sample_rate": 16000, "max_length": 250},
        "tensors": {"bytes": 2500},
    }


def test_facts_stand_in_the_card_and_its_block(metadata):
    text = model_card(metadata, "cc-by-4.0")
    for row in (
        "| Trained parameters | 1,234 |",
        "| Backbone | MIT/ast at v1 |",
        "| Input | 2.50 s of mono audio at 16000 Hz",
        "| Macro f1 | 0.2500 |",
        "| Classes | 2 |",
        "the 2.5 kB that",
    ):
        assert row in text
    data = ModelCard(text).data
    assert (data.license, data.base_model) == ("cc-by-4.0", "MIT/ast")
    (result,) = data.eval_results
    assert (result.metric_type, result.metric_value) == ("accuracy", 0.5)


def test_the_selecting_metric_is_the_one_that_the_hub_shows(metadata):
    metadata["training"].update(selects="macro_f1", direction="max")
    (result,) = ModelCard(model_card(metadata)).data.eval_results
    assert (result.metric_type, result.metric_value) == ("macro_f1", 0.25)


def test_a_local_backbone_has_no_link_and_no_license_is_said(metadata):
    metadata["backbone"] = {"source": "tiny", "revision": None}
    text = model_card(metadata)
    data = ModelCard(text).data
    assert data.base_model is None and data.license == "other"
    assert "huggingface.co" not in text
    assert "`--backbone`" in text and "has not chosen a license" in text


def test_names_are_no_markup(metadata):
    metadata["labels"] = ["<script>x</script>", "[a](http://b)", "a\n# b"]
    metadata["training"]["corpus"] = "x\n---\nlicense: mit"
    text = model_card(metadata)
    assert "<script>" not in text and "[a](" not in text
    assert "\n# b" not in text
    assert ModelCard(text).data.license == "other"


def test_a_card_of_speakers_says_how_they_are_verified(metadata):
    metadata |= {"task": "embedding", "labels": []}
    metadata["decision"] = {"threshold": 0.25, "scoring": "cosine"}
    metadata["training"].update(selects="eer", direction="min")
    metadata["metrics"] = {"eer": 0.02}
    text = model_card(metadata)
    assert "| Threshold | 0.25 |" in text and "PETLSpeaker" in text
    assert "verify-speakers" in text and "Classes" not in text
    assert ModelCard(text).data.eval_results[0].metric_type == "eer"


def test_an_excerpt_and_its_folder_are_said(metadata):
    assert "Data folder" not in model_card(metadata)
    metadata["training"]["data"] = {"folder": "my<b>clips", "whole_test": 400}
    metadata["metrics"]["n_test"] = 80
    text = model_card(metadata)
    assert "an excerpt of ESC" in text and "of a whole test of 400" in text
    assert "<b>clips" not in text
