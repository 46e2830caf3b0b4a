"""Tables: numbers as worked out by hand; what is missing is said."""

import csv
import io
import itertools
import json
import statistics

import numpy as np
import pytest
from scipy.stats import t as student
from speechbrain_petl.experiments.__main__ import main
from speechbrain_petl.experiments.collect import collect
from speechbrain_petl.experiments.rows import make_rows
from speechbrain_petl.experiments.statistics import compare, summarise
from speechbrain_petl.experiments.table import write_tables

FIRST = [70.0, 72.5, 80.0, 71.25, 76.25]
SECOND = [68.75, 72.5, 76.25, 72.5, 70.0]


@pytest.fixture
def output(tmp_path):
    """A plan's output: two variants on five folds of 80 clips."""
    cells = []
    for label, accuracies in (("lora", FIRST), ("linear", SECOND)):
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
                    "overrides": {},
                }
            )
            (tmp_path / name / "artefact").mkdir(parents=True)
            (tmp_path / name / "artefact" / "artefact.json").write_text("{}")
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


def test_numbers(output):
    lora, linear = make_rows(collect(output))
    assert lora.summary.mean == pytest.approx(74.0)
    assert lora.summary.deviation == pytest.approx(statistics.stdev(FIRST))
    assert lora.summary.pooled == pytest.approx(74.0)
    assert lora.difference == pytest.approx(74.0 - 84.75)
    assert linear.paper == 75.85
    # Wilson's interval: the shares whose own deviation reaches the one found
    for share in (lora.summary.low / 100, lora.summary.high / 100):
        z = (0.74 - share) / (share * (1 - share) / 400) ** 0.5
        assert abs(z) == pytest.approx(1.959964, abs=1e-5)
    assert lora.summary.low < 74 < lora.summary.high


def test_all_three_formats(output):
    texts = write_tables(collect(output), output / "tables")
    spread = f"{statistics.stdev(FIRST):.2f}"
    assert f"| lora    |   221,184 | 74.00 ± {spread} |" in texts["table.md"]
    assert "| 84.75 |     -10.75 |" in texts["table.md"]
    assert "is an excerpt here" in texts["table.md"], "80 of 400 clips"
    assert rf"lora & 221,184 & 74.00 $\pm$ {spread} \\" in texts["table.tex"]
    rows = list(csv.DictReader(io.StringIO(texts["table.csv"])))
    assert rows[0]["pooled"] == "74.0000" and rows[0]["head"] == "7690"
    for name, text in texts.items():
        assert (output / "tables" / name).read_text() == text


def test_what_is_missing_is_never_averaged_in_silence(output):
    (output / "ESC50/lora/seed_1/fold_3/results.json").unlink()
    texts = write_tables(collect(output), output / "tables")
    shown = f"{statistics.mean([70, 72.5, 71.25, 76.25]):.2f}"
    spread = f"{statistics.stdev([70, 72.5, 71.25, 76.25]):.2f}"
    assert f"{shown} ± {spread} (4/5)" in texts["table.md"]
    assert "1 of 10 cells are missing" in texts["table.md"]
    for fold in (1, 2, 4, 5):
        (output / f"ESC50/lora/seed_1/fold_{fold}/results.json").unlink()
    texts = write_tables(collect(output), output / "tables")
    assert "0/5" in texts["table.md"]


def test_the_average_is_over_whole_corpora_only(output):
    plan = json.loads((output / "plan.json").read_text())
    extra = {**plan["cells"][0], "corpus": "GoogleSpeechCommands", "name": "x"}
    plan["cells"].append({**extra, "fold": None})
    plan["cells"].append({**extra, "variant": "linear", "name": "y"})
    plan["corpora"].append("GoogleSpeechCommands")
    (output / "plan.json").write_text(json.dumps(plan))
    text = write_tables(collect(output), output / "tables")["table.md"]
    line = next(x for x in text.splitlines() if x.startswith("| lora"))
    assert line.split("|")[-2].strip() == "-"


def test_one_cell_has_no_deviation(output):
    cells = collect(output).group(variant="lora", fold=1)
    assert summarise(cells).text() == "70.00"
    assert summarise([]) is None


def test_the_permutation_test_is_exact(output, capsys):
    outcome = collect(output)
    found = compare(
        outcome.group(variant="lora"), outcome.group(variant="linear")
    )
    differences = np.array(FIRST) - np.array(SECOND)
    signs = np.array(list(itertools.product([1, -1], repeat=5)))
    means = (signs * differences).mean(axis=1)
    p = (np.abs(means) >= abs(differences.mean()) - 1e-9).mean()
    assert found.permutation == pytest.approx(p)
    assert found.difference == pytest.approx(differences.mean())
    t = differences.mean() / (differences.std(ddof=1) / np.sqrt(5))
    assert found.t_test == pytest.approx(2 * student.sf(t, df=4))
    assert main(["compare", str(output), "lora", "linear"]) == 0
    assert "+2.00 points over 5 pairs" in capsys.readouterr().out
    assert main(["compare", str(output), "lora", "nothing"]) == 2
    assert "no variant 'nothing'" in capsys.readouterr().err
    with pytest.raises(ValueError, match="at least 2"):
        compare(outcome.group(fold=1, variant="lora"), [])
