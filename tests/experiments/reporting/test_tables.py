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
from speechbrain_petl.experiments.reporting.collect import collect
from speechbrain_petl.experiments.reporting.rows import make_rows
from speechbrain_petl.experiments.reporting.statistics import compare, summarise
from speechbrain_petl.experiments.reporting.table import write_tables

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
                    "overrides": {
                        "lr": 0.1,
                        "ast_source": "/somewhere/ast-mini",
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


def test_numbers(output):
    lora, linear = make_rows(collect(output))
    assert lora.summary.mean == pytest.approx(74.0)
    assert lora.summary.deviation == pytest.approx(statistics.stdev(FIRST))
    assert lora.summary.pooled == pytest.approx(74.0)
    assert lora.difference is None, "80 clips are not the paper's ESC-50"
    assert linear.paper == 75.85
    # Wilson's interval: the shares whose own deviation reaches the one found
    for share in (lora.summary.low / 100, lora.summary.high / 100):
        z = (0.74 - share) / (share * (1 - share) / 400) ** 0.5
        assert abs(z) == pytest.approx(1.959964, abs=1e-5)
    assert lora.summary.low < 74 < lora.summary.high


def test_all_three_formats(output):
    texts = write_tables(collect(output), output / "tables")
    spread = f"{statistics.stdev(FIRST):.2f}"
    overview = f"| lora    |   221,184 |  221K | 74.00 ± {spread} | 84.75 |"
    assert overview in texts["table.md"], "the paper's figures beside ours"
    assert "| linear  |         0 |     - | 72.00 ±" in texts["table.md"]
    assert "| 84.75 |          - |" in texts["table.md"]
    assert "is an excerpt here" in texts["table.md"], "80 of 400 clips"
    assert "In all runs: lr=0.1, ast_source=ast-mini." in texts["table.md"]
    assert r"In all runs: lr=0.1, ast\_source=ast-mini." in texts["table.tex"]
    line = rf"lora & 221,184 & 221K & 74.00 $\pm$ {spread} & 84.75 \\"
    assert line in texts["table.tex"]
    rows = list(csv.DictReader(io.StringIO(texts["table.csv"])))
    assert rows[0]["pooled"] == "74.0000" and rows[0]["head"] == "7690"
    assert rows[0]["paper_trainable"] == "221K"
    for name, text in texts.items():
        assert (output / "tables" / name).read_text() == text


def test_a_whole_corpus_is_compared_with_the_paper(output):
    for file in output.glob("ESC50/lora/*/*/results.json"):
        results = json.loads(file.read_text())
        file.write_text(json.dumps({**results, "n_test": 400}))
    for file in output.glob("ESC50/linear/*/*/results.json"):
        file.unlink()
    lora, _ = make_rows(collect(output))
    assert lora.difference == pytest.approx(74.0 - 84.75)
    texts = write_tables(collect(output), output / "tables")
    assert "| 84.75 |     -10.75 |" in texts["table.md"]
    assert "excerpt" not in texts["table.md"]
    rows = list(csv.DictReader(io.StringIO(texts["table.csv"])))
    assert (rows[0]["paper"], rows[0]["difference"]) == ("84.7500", "-10.7500")


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
    ours, papers = (cell.strip() for cell in line.split("|")[-3:-1])
    assert ours == "-", "a corpus has no cell yet"
    assert float(papers) == pytest.approx((84.75 + 90.62) / 2, abs=0.006)


def test_repeats_on_the_same_clips_are_counted_once(output):
    """Ten seeds on a fold say no more about other clips than one."""
    once = summarise(collect(output).group(variant="lora"))
    plan = json.loads((output / "plan.json").read_text())
    again = [
        {**cell, "seed": seed} for cell in plan["cells"] for seed in range(10)
    ]
    (output / "plan.json").write_text(json.dumps({**plan, "cells": again}))
    ten = summarise(collect(output).group(variant="lora"))
    assert (ten.done, once.done) == (50, 5)
    assert (ten.pooled, ten.low, ten.high) == (once.pooled, once.low, once.high)


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
    assert "+2.00 points over 5 of 5 pairs" in capsys.readouterr().out
    assert main(["compare", str(output), "lora", "nothing"]) == 2
    assert "no variant 'nothing'" in capsys.readouterr().err
    assert found.least == 2 / 2**5
    with pytest.raises(ValueError, match="at least 2"):
        compare(outcome.group(fold=1, variant="lora"), [])


def test_a_comparison_leaves_out_what_it_cannot_compare(output, capsys):
    """A corpus without folds has one pair a seed."""
    plan = json.loads((output / "plan.json").read_text())
    for cell in plan["cells"][::5]:
        plan["cells"].append({**cell, "corpus": "GoogleSpeechCommands"})
    plan["corpora"].insert(0, "GoogleSpeechCommands")
    (output / "plan.json").write_text(json.dumps(plan))
    assert main(["compare", str(output), "lora", "linear"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("GoogleSpeechCommands: not compared: 1 cells")
    assert second.startswith("ESC50: lora minus linear +2.00 points")
    for result in collect(output).results:
        (result.folder / "results.json").unlink(missing_ok=True)
    assert main(["compare", str(output), "lora", "linear"]) == 2


def test_results_of_other_settings_are_not_shown(output):
    for fold in (1, 2):
        cell = output / f"ESC50/lora/seed_1/fold_{fold}/cell.json"
        cell.write_text('{"hash": "1"}')
    text = write_tables(collect(output), output / "tables")["table.md"]
    assert "(3/5)" in text and "2 of 10 cells are missing, 0" in text
    assert "2 of the missing cells hold runs of other settings" in text
