"""Corpora of several tasks in one plan: each has its own metric."""

import csv
import io
import json

import pytest
from speechbrain_petl.experiments.__main__ import main
from speechbrain_petl.experiments.reporting.collect import collect
from speechbrain_petl.experiments.reporting.plot import (
    draw_confusions,
    draw_parameters,
    draw_precisions,
)
from speechbrain_petl.experiments.reporting.table import write_tables

TAGS = {
    "selects": "mAP",
    "direction": "max",
    "mAP": 0.5,
    "ap": {"Bark": 0.75, "Dog": 0.25, "Wolf": None},
    "labels": ["Bark", "Dog", "Wolf"],
}


@pytest.fixture
def both(output):
    """The plan with two cells of tagging more."""
    file = output / "plan.json"
    plan = json.loads(file.read_text())
    for seed in (1, 2):
        for variant in plan["variants"]:
            like = output / f"ESC50/{variant}/seed_1/fold_1"
            name = f"FSD50K/{variant}/seed_{seed}"
            folder = output / name
            (folder / "artefact").mkdir(parents=True)
            for part in ("artefact/artefact.json", "cell.json"):
                (folder / part).write_text((like / part).read_text())
            results = json.loads((like / "results.json").read_text())
            del results["accuracy"], results["n_correct"]
            results |= TAGS | {"mAP": 0.4 + 0.1 * seed, "n_test": 10231}
            (folder / "results.json").write_text(json.dumps(results))
            cell = {**plan["cells"][0], "name": name, "corpus": "FSD50K"}
            cell |= {"variant": variant, "seed": seed, "fold": None}
            plan["cells"].append(cell)
    plan["corpora"].append("FSD50K")
    plan["data_folders"]["FSD50K"] = "/data"
    file.write_text(json.dumps(plan))
    return output


def test_columns_name_their_metric(both):
    texts = write_tables(collect(both), both / "tables")
    page = texts["table.md"]
    head = next(line for line in page.splitlines() if "| Trainable" in line)
    cells = [cell.strip() for cell in head.split("|")]
    assert "ESC-50, accuracy, %" in cells and "FSD50K, mAP" in cells
    assert "Mean" not in cells, "no mean of accuracies and mAP"
    assert "of ESC-50 accuracy in %; of FSD50K mAP, higher is better" in page
    assert "0.5500 ± 0.0707" in page and "74.00 ± 4.09" in page
    rows = list(csv.DictReader(io.StringIO(texts["table.csv"])))
    told = {(row["corpus"], row["metric"]) for row in rows}
    assert told == {("ESC50", "accuracy"), ("FSD50K", "mAP")}
    papers = {row["corpus"]: row["paper"] for row in rows}
    assert papers["ESC50"] and not papers["FSD50K"]


def test_the_page_and_a_comparison(both, capsys):
    assert main(["report", str(both)]) == 0
    page = (both / "report.html").read_text("utf-8")
    assert "of FSD50K mAP, higher is better" in page
    assert main(["compare", str(both), "lora", "linear"]) == 0
    said = capsys.readouterr().out
    assert "ESC50: lora minus linear +2.00 points" in said
    assert "FSD50K: lora minus linear +0.0000 of mAP" in said


def test_figures_are_of_what_a_run_recorded(both):
    outcome = collect(both)
    for file in both.glob("ESC50/*/*/*/results.json"):
        results = json.loads(file.read_text())
        results |= {"confusion": [[1, 0], [0, 1]], "labels": ["a", "b"]}
        file.write_text(json.dumps(results))
    names = [name for name, _ in draw_confusions(collect(both))]
    assert names == ["confusion_ESC50_lora", "confusion_ESC50_linear"]
    precisions = dict(draw_precisions(outcome))
    assert set(precisions) == {
        "precision_FSD50K_lora",
        "precision_FSD50K_linear",
    }
    axes = precisions["precision_FSD50K_lora"].axes[0]
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown == ["Dog", "Bark"], "no clip has the third"
    labels = {
        name: figure.axes[0].get_ylabel()
        for name, figure in draw_parameters(outcome)
    }
    assert sorted(labels.values()) == ["test accuracy, %", "test mAP"]
