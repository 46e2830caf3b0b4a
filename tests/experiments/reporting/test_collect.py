"""What the cells left is read, and what cannot be is told."""

import json

import pytest
from speechbrain_petl.experiments.planning.recipes import read_recipe
from speechbrain_petl.experiments.reporting import collect as collected
from speechbrain_petl.experiments.reporting.collect import collect
from speechbrain_petl.experiments.reporting.table import write_tables
from speechbrain_petl.utils.recipes import find_recipes


def test_results_of_other_settings_are_not_shown(output):
    for fold in (1, 2):
        cell = output / f"ESC50/lora/seed_1/fold_{fold}/cell.json"
        cell.write_text('{"hash": "1"}')
    text = write_tables(collect(output), output / "tables")["table.md"]
    assert "(3/5)" in text and "2 of 10 cells are missing, 0" in text
    assert "2 of the missing cells hold runs of other settings" in text


def test_a_failure_that_is_damaged_is_a_failure(output):
    folder = output / "ESC50/lora/seed_1/fold_1"
    (folder / "results.json").unlink()
    for content in ("", "{}", "[]"):
        (folder / "failed.json").write_text(content)
        (result,) = collect(output).group(variant="lora", fold=1)
        assert result.state == "failed" and result.results is None
        assert result.failure["reason"] and result.failure["log_tail"] == []
    (folder / "failed.json").write_text(json.dumps({"reason": "nan"}))
    (result,) = collect(output).group(variant="lora", fold=1)
    assert result.failure["reason"] == "nan"


def test_the_recipes_are_not_needed(output, monkeypatch):
    """A record says what its corpora are; an older one is told from recipes."""
    older = write_tables(collect(output), output / "tables")

    def nowhere(folder=None):
        raise ValueError("There are no recipes here.")

    monkeypatch.setattr(collected, "find_recipes", nowhere)
    with pytest.raises(ValueError, match="what ESC50 is.*run the plan again"):
        collect(output)
    plan = json.loads((output / "plan.json").read_text())
    facts = read_recipe(find_recipes() / "ESC50")._asdict()
    plan["recipes"] = {"ESC50": facts}
    (output / "plan.json").write_text(json.dumps(plan))
    assert write_tables(collect(output), output / "tables") == older
