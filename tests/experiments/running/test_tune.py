"""Every variant gets the same budget; what it found is a plan to run."""

import json

import pytest
from speechbrain_petl.experiments.__main__ import main

pytest.importorskip("optuna")


@pytest.fixture
def plan(tmp_path, data):
    """A plan of two variants with a search."""
    content = {
        "title": "both",
        "corpora": ["ESC50"],
        "variants": [
            "linear",
            {"label": "mine", "yaml": "lora", "space": {"seconds": "0,0.01"}},
        ],
        "folds": [1, 2],
        "data_folders": {"ESC50": str(data)},
        "search": {
            "trials": 4,
            "fold": 1,
            "space": {
                "speed": {"a": {"lr": 0.2}, "b": {"lr": 0.3, "behave": "x"}}
            },
        },
    }
    file = tmp_path / "plan.yaml"
    file.write_text(json.dumps(content))
    return file


def test_a_plan_is_tuned_and_run(plan, recipes, tmp_path, capsys):
    out = tmp_path / "out"
    more = ["--recipes", str(recipes), "--output", str(out)]
    assert main(["run", str(plan), *more]) == 2
    assert "has a search: 'tune' it first" in capsys.readouterr().err
    assert main(["tune", str(plan), *more]) == 0
    found = json.loads((out / "search.json").read_text())
    assert set(found) == {"linear", "mine"}
    for one in found.values():
        # The stand-in's validation is best at 0.3.
        assert one["overrides"]["lr"] == 0.3
        assert one["overrides"]["behave"] == "x"
        assert 1 <= one["trials"] <= 4 and one["seconds"] > 0
        assert one["metric"] == "accuracy"
    assert "seconds" in found["mine"]["overrides"]
    tuned = json.loads((out / "tuned.yaml").read_text())
    assert [v["label"] for v in tuned["variants"]] == ["linear", "mine"]
    assert main(["run", str(out / "tuned.yaml"), *more]) == 0
    cells = list(out.glob("ESC50/*/*/*/results.json"))
    assert len(cells) == 4
    results = [json.loads(cell.read_text()) for cell in cells]
    assert {one["hyperparameters"]["lr"] for one in results} == {0.3}


def test_no_trial_begins_when_the_time_is_over(plan, recipes, tmp_path):
    content = json.loads(plan.read_text())
    content["variants"] = ["linear"]
    content["search"] |= {"seconds": 0.001, "space": {"lr": "0.0:1.0"}}
    plan.write_text(json.dumps(content))
    more = ["--recipes", str(recipes), "--output", str(tmp_path / "out")]
    for _ in range(2):
        assert main(["tune", str(plan), *more]) == 0
        found = json.loads((tmp_path / "out" / "search.json").read_text())
        assert found["linear"]["trials"] == 1


@pytest.mark.parametrize(
    "change, message",
    [
        ({"search": None}, "has no search"),
        ({"search": {"trials": 0, "space": {}}}, "search is a mapping with"),
        (
            {"search": {"trials": 1, "space": {"lrr": "1,2"}}},
            "no option of linear.yaml 'lrr'",
        ),
    ],
)
def test_plans_that_cannot_be_tuned(
    change, message, plan, recipes, tmp_path, capsys
):
    plan.write_text(json.dumps({**json.loads(plan.read_text()), **change}))
    more = ["--recipes", str(recipes), "--output", str(tmp_path / "out")]
    assert main(["tune", str(plan), *more]) == 2
    assert message in capsys.readouterr().err
