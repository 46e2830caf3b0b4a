"""The record of a plan, to which parts of it are added."""

from pathlib import Path

import pytest
from speechbrain_petl.experiments.planning.plan import Plan, Variant
from speechbrain_petl.experiments.planning.recipes import read_recipe
from speechbrain_petl.experiments.reporting.kept import (
    PLAN,
    keep_plan,
    place_of,
)
from speechbrain_petl.experiments.running.job import Job
from speechbrain_petl.experiments.running.run import Work
from speechbrain_petl.utils.files import read_json
from speechbrain_petl.utils.recipes import find_recipes


@pytest.fixture
def keep(tmp_path):
    """``keep(label, fold, part)`` records a plan of one cell: its record."""
    recipe = read_recipe(find_recipes() / "ESC50")

    def one(label="lora", fold=1, part=True, data="/data", **overrides):
        plan = Plan(
            "plans/mine.yaml",
            "A plan",
            ["ESC50"],
            [Variant(label, "lora", overrides)],
            folds=[fold],
            recipes={"ESC50": recipe},
        )
        (cell,) = plan.cells()
        job = Job(cell.name, "folder", f"hash of {fold}", [], "recipe")
        keep_plan(plan, [Work(cell, job, data, "new")], tmp_path, part)
        kept = read_json(tmp_path / PLAN)
        assert read_json(place_of(tmp_path, "mine") / PLAN) == kept
        return kept

    return one


def folds(kept):
    """The cells of a record."""
    return [(c["variant"], c["fold"], c["hash"]) for c in kept["cells"]]


def test_the_place_of_a_plan():
    assert place_of("out") == Path("out")
    for named in ("mine", "plans/mine.yaml", "/elsewhere/mine.yaml"):
        assert place_of("out", named) == Path("out/plans/mine")


def test_parts_are_added_and_a_whole_plan_replaces(keep):
    keep(fold=1)
    kept = keep(fold=2)
    assert folds(kept) == [("lora", 1, "hash of 1"), ("lora", 2, "hash of 2")]
    assert kept["variants"] == ["lora"]
    kept = keep("other", fold=2, lr=0.2)  # another variant's settings differ
    assert len(kept["cells"]) == 3 and kept["variants"] == ["lora", "other"]
    assert folds(keep(fold=3, part=False)) == [("lora", 3, "hash of 3")]


@pytest.mark.parametrize("change", [{"lr": 0.2}, {"data": "/other"}])
def test_a_mean_does_not_mix_settings_or_data(keep, change):
    keep(fold=1)
    assert folds(keep(fold=2, **change)) == [("lora", 2, "hash of 2")]
