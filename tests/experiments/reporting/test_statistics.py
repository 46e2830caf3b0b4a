"""Means, intervals and the paired test are exact."""

import itertools
import json

import numpy as np
import pytest
from scipy.stats import t as student
from speechbrain_petl.experiments.__main__ import main
from speechbrain_petl.experiments.reporting.collect import collect
from speechbrain_petl.experiments.reporting.statistics import compare, summarize


def test_repeats_on_the_same_clips_are_counted_once(output):
    """Ten seeds on a fold say no more about other clips than one."""
    once = summarize(collect(output).group(variant="lora"))
    plan = json.loads((output / "plan.json").read_text())
    again = [
        {**cell, "seed": seed} for cell in plan["cells"] for seed in range(10)
    ]
    (output / "plan.json").write_text(json.dumps({**plan, "cells": again}))
    ten = summarize(collect(output).group(variant="lora"))
    assert (ten.done, once.done) == (50, 5)
    assert (ten.pooled, ten.low, ten.high) == (once.pooled, once.low, once.high)


def test_one_cell_has_no_deviation(output):
    cells = collect(output).group(variant="lora", fold=1)
    assert summarize(cells).text() == "70.00"
    assert summarize([]) is None


def test_the_permutation_test_is_exact(output, accuracies, capsys):
    outcome = collect(output)
    found = compare(
        outcome.group(variant="lora"), outcome.group(variant="linear")
    )
    differences = np.array(accuracies["lora"]) - np.array(accuracies["linear"])
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


def test_constant_differences_have_no_t_test(output, capsys):
    """Its p-value would be 0, however few the pairs are."""
    for fold in range(1, 6):
        cells = [f"ESC50/{v}/seed_1/fold_{fold}" for v in ("lora", "linear")]
        first, second = (output / cell / "results.json" for cell in cells)
        results = json.loads(second.read_text())
        results["accuracy"] += 0.05
        first.write_text(json.dumps(results))
    assert main(["compare", str(output), "lora", "linear"]) == 0
    said = capsys.readouterr().out
    assert "+5.00 points over 5 of 5 pairs; p = 0.0625" in said
    assert "no paired t-test, as all differences are the same" in said
