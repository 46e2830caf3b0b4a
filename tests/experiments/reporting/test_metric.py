"""Runs that were selected by a metric of which less is better."""

import csv
import io
import json
import statistics

import pytest
from speechbrain_petl.experiments.__main__ import main
from speechbrain_petl.experiments.reporting.collect import collect
from speechbrain_petl.experiments.reporting.plot import (
    draw_parameters,
    draw_training,
)
from speechbrain_petl.experiments.reporting.rows import make_rows
from speechbrain_petl.experiments.reporting.table import write_tables

LINE = (
    "epoch: {0}, lr: 1.0e-03 - train loss: 2.0 - valid loss: 1.0, "
    "valid eer: {1}\n"
)


@pytest.fixture
def errors(output, accuracies):
    """The same plan, its runs selected by an error rate; no clip is counted."""
    for file in output.glob("ESC50/*/*/*/results.json"):
        results = json.loads(file.read_text())
        results["eer"] = 1 - results.pop("accuracy")
        del results["n_correct"]
        results |= {"selects": "eer", "direction": "min"}
        file.write_text(json.dumps(results))
        log = LINE.format(1, 0.4) + LINE.format(2, 0.3)
        file.with_name("train_log.txt").write_text(log)
    return [1 - value / 100 for value in accuracies["lora"]]


def test_tables_name_it_and_its_direction(output, errors):
    texts = write_tables(collect(output), output / "tables")
    found, spread = statistics.mean(errors), statistics.stdev(errors)
    assert "Test eer, lower is better, mean ±" in texts["table.md"]
    assert f"| {found:.4f} ± {spread:.4f} |" in texts["table.md"]
    assert "The figures are of eer, lower is better." in texts["table.tex"]
    assert "ccuracy" not in texts["table.md"] + texts["table.tex"]
    assert "84.75" not in texts["table.md"], "the paper's are accuracies"
    row = next(csv.DictReader(io.StringIO(texts["table.csv"])))
    assert row["mean"] == f"{found:.4f}" and row["pooled"] == row["paper"] == ""
    lora, _ = make_rows(collect(output))
    assert lora.summary.pooled is lora.summary.low is lora.difference is None


def test_a_comparison_and_the_page_name_it(output, errors, capsys):
    assert main(["compare", str(output), "lora", "linear"]) == 0
    said = capsys.readouterr().out
    assert "lora minus linear -0.0200 of eer, lower is better over 5" in said
    assert main(["report", str(output)]) == 0
    page = (output / "report.html").read_text("utf-8")
    assert "<p>Test eer, lower is better, mean ±" in page
    assert "Wilson" not in page and "ccuracy" not in page


def test_figures_name_it(output, errors):
    outcome = collect(output)
    ((_, figure),) = draw_parameters(outcome)
    assert figure.axes[0].get_ylabel() == "test eer"
    (_, figure), _ = draw_training(outcome)
    panels = [axes.get_title() for axes in figure.axes]
    assert panels == ["train loss", "valid loss", "valid eer"]
    assert figure.axes[2].lines[0].get_ydata().tolist() == [0.4, 0.3]


def test_a_figure_of_the_loss_shows_it_once(output, errors):
    for file in output.glob("ESC50/*/*/*/results.json"):
        results = json.loads(file.read_text()) | {"selects": "loss", "loss": 2}
        file.write_text(json.dumps(results))
    (_, figure), _ = draw_training(collect(output))
    panels = [axes.get_title() for axes in figure.axes]
    assert panels == ["train loss", "valid loss"]


def test_two_metrics_do_not_share_a_table(output, errors, capsys):
    file = output / "ESC50/lora/seed_1/fold_1/results.json"
    results = json.loads(file.read_text()) | {"accuracy": 0.5}
    del results["selects"], results["direction"]
    file.write_text(json.dumps(results))
    assert main(["table", str(output)]) == 2
    assert "accuracy, eer, which do not go into one" in capsys.readouterr().err


def test_results_without_what_they_select_by_are_damaged(output, errors):
    file = output / "ESC50/lora/seed_1/fold_1/results.json"
    for change in ({"selects": "ap"}, {"selects": []}, {"direction": "up"}):
        before = json.loads(file.read_text())
        file.write_text(json.dumps(before | change))
        (result,) = collect(output).group(variant="lora", fold=1)
        assert result.results is None, change
        file.write_text(json.dumps(before))
