"""The model that a finished run has trained."""

import json

import pytest
from speechbrain_petl.experiments.reporting.figures.model import load_model


def test_the_backbone_is_the_runs_own(run, elsewhere):
    """The artefact knows the name of its folder alone."""
    recorded = json.loads((run / "artefact" / "artefact.json").read_text())
    assert "/" not in recorded["backbone"]["source"]
    trained = load_model(run)
    assert trained.labels == ["a", "b", "c"]
    results = {"hyperparameters": {"source": "gone"}}
    (run / "results.json").write_text(json.dumps(results))
    with pytest.raises(ValueError, match="The backbone 'tiny_ast"):
        load_model(run)
