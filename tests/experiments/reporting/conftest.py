"""The output folder of a plan, as its cells would have left it."""

import json

import pytest

ACCURACIES = {  # in %, fold by fold
    "lora": [70.0, 72.5, 80.0, 71.25, 76.25],
    "linear": [68.75, 72.5, 76.25, 72.5, 70.0],
}


@pytest.fixture
def accuracies():
    """The accuracies of both variants."""
    return ACCURACIES


@pytest.fixture
def output(tmp_path):
    """A plan's output: two variants on five folds of 80 clips."""
    cells = []
    for label, accuracies in ACCURACIES.items():
        for fold, accuracy in enumerate(accuracies, 1):
            name = f"ESC50/{label}/seed_1/fold_{fold}"
            cells.append(
                {
                    "name": name,
                    "corpus": "ESC50",
                    "variant": label,
                    "yaml": label,
                    "seed": 1,
                    "fold": fold,
                    "shots": None,
                    "draw": 0,
                    "overrides": {
                        "lr": 0.1,
                        "source": "/somewhere/ast_mini",
                        "own": label,
                    },
                    "hash": "0",
                }
            )
            (tmp_path / name / "artefact").mkdir(parents=True)
            (tmp_path / name / "artefact" / "artefact.json").write_text("{}")
            (tmp_path / name / "cell.json").write_text('{"hash": "0"}')
            results = {
                "accuracy": accuracy / 100,
                "n_test": 80,
                "n_correct": round(accuracy * 0.8),
                "trainable": {
                    "method": 221184 if label == "lora" else 0,
                    "norm": 0,
                    "norm_final": 1536,
                    "head": 7690,
                },
            }
            (tmp_path / name / "results.json").write_text(json.dumps(results))
    plan = {
        "source": "table1",
        "title": "Table I",
        "paper": "table1",
        "corpora": ["ESC50"],
        "variants": ["lora", "linear"],
        "cells": cells,
        "data_folders": {"ESC50": "/data"},
    }
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    return tmp_path
