"""Artefacts written anew with other facts."""

import json

import pytest
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.restate import restate


def test_the_facts_change_and_what_was_trained_stays(
    make_artefact, tmp_path, tiny_folder
):
    make_artefact(tmp_path / "a", "lora")
    facts = {
        "metrics": {"accuracy": 0.75},
        "training": {"seed": 7},
        "unknown": {"threshold": 0.25, "kept": 0.95},
    }
    restate(tmp_path / "a", tmp_path / "b", facts)
    old, new = (Artefact.open(tmp_path / name) for name in "ab")
    assert new.metadata["metrics"] == {"accuracy": 0.75}
    assert new.metadata["training"] == {**old.metadata["training"], "seed": 7}
    assert new.metadata["unknown"]["threshold"] == 0.25
    assert "0.7500" in (tmp_path / "b/README.md").read_text()
    new.load(new.backbone(tiny_folder))  # the probe still fits
    restate(tmp_path / "b", tmp_path / "b", {"metrics": {"accuracy": 0.5}})
    kept = json.loads((tmp_path / "b/artefact.json").read_text())
    assert kept["metrics"] == {"accuracy": 0.5} and kept["unknown"]


def test_a_fact_that_does_not_fit(make_artefact, tmp_path):
    make_artefact(tmp_path / "a", "lora")
    with pytest.raises(ValueError, match="unknown.threshold"):
        restate(
            tmp_path / "a", tmp_path / "b", {"unknown": {"threshold": "high"}}
        )
    assert not (tmp_path / "b").exists()
