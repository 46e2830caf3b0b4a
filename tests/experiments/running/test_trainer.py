"""One run of a search: its job, and the metric that it is judged by."""

import json
from pathlib import Path

import pytest
from speechbrain_petl.experiments.planning.plan import Cell, Variant
from speechbrain_petl.experiments.planning.recipes import recipe_of
from speechbrain_petl.experiments.running import trainer as module
from speechbrain_petl.experiments.running.job import BUSY
from speechbrain_petl.experiments.running.state import (
    FAILED,
    FINISHED,
    INTERRUPTED,
)
from speechbrain_petl.experiments.running.trainer import Trainer
from speechbrain_petl.utils.metric import Metric

CELL = Cell("ESC50", Variant("lora", "lora"), 1, overrides={"lr": 0.2})


@pytest.fixture
def trainer(recipes, data, tmp_path):
    """Trains the stand-in of a recipe."""
    yaml = recipes / "ESC50" / "hparams" / "lora.yaml"
    return Trainer(yaml, str(data), tmp_path / "search")


@pytest.fixture
def outcomes(monkeypatch):
    """``outcomes(results, *outcomes)`` stands in for runs, one by one."""

    def these(results, *some):
        left = list(some)

        def run_job(job, environment, processes):
            folder = Path(job.folder)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "results.json").write_text(json.dumps(results))
            return left.pop(0), 0.0

        monkeypatch.setattr(module, "run_job", run_job)
        monkeypatch.setattr(module, "PAUSE", 0)
        return left

    return these


def test_a_job_is_told_by_its_settings_and_data(trainer, data, monkeypatch):
    job = trainer.job(CELL, "trial_1")
    assert job.folder == str(trainer.output / "trial_1")
    assert job.recipe == str(trainer.yaml.parents[1])
    assert {"hparams/lora.yaml", "--lr=0.2"} <= set(job.command)
    monkeypatch.chdir(data.parent)  # relative here, and absolute in the recipe
    beside = trainer._replace(data_folder="data").job(CELL, "trial_2")
    assert f"--data_folder={data}" in beside.command
    assert beside.hash == job.hash
    assert trainer.yaml.parents[1] == recipe_of(trainer.yaml)
    other = Cell("ESC50", CELL.variant, 1, overrides={"lr": 0.3})
    assert trainer.job(other, "trial_1").hash != job.hash


def test_the_metric_that_selects_is_read(trainer, outcomes):
    results = {
        **{"selects": "loss", "direction": "min"},
        **{"loss": 1.0, "valid_loss": 0.5, "valid_accuracy": 0.9},
    }
    left = outcomes(results, BUSY, BUSY, FINISHED)
    assert trainer.train(CELL, "a") == (Metric("loss", "min"), 0.5)
    assert left == []  # it waited until the folder was free


def test_a_run_that_did_not_finish_has_no_metric(trainer, outcomes):
    outcomes({"valid_accuracy": 0.9}, FAILED, INTERRUPTED)
    assert trainer.train(CELL, "a") is None
    with pytest.raises(KeyboardInterrupt):
        trainer.train(CELL, "a")


def test_a_search_needs_a_validation_split(trainer, outcomes):
    outcomes({"valid_accuracy": None}, FINISHED)
    with pytest.raises(ValueError, match="lora.yaml ran without a validation"):
        trainer.train(CELL, "a")
