"""Where a cell stands; what is damaged blocks nothing else, and is named."""

import json
import shutil

import pytest
from speechbrain_petl.experiments.__main__ import main
from speechbrain_petl.experiments.reporting.collect import collect
from speechbrain_petl.experiments.reporting.rows import make_rows
from speechbrain_petl.experiments.running.state import data_fingerprint, state

from tests.experiments.running.stand_ins import count


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", '{"hash'])
@pytest.mark.fault("experiments: a damaged cell.json")
def test_a_damaged_cell_blocks_nothing_else(content, experiments, write_plan):
    plan = write_plan(["linear", "lora"], folds=[1])
    _, _, output = experiments(plan)
    file = output / "ESC50/linear/seed_1234/fold_1/cell.json"
    file.write_text(content)
    shutil.rmtree(output / "ESC50/lora")
    code, text, _ = experiments(plan)
    assert code == 1 and "1 damaged" in text and "1 finished" in text
    assert f"{file} is damaged" in text and "--force" in text
    assert count(file.parent, "starts") == 1
    warnings = collect(output).warnings()
    assert any("cell.json of ESC50/linear" in text for text in warnings)
    code, text, _ = experiments(plan, "--force")
    assert code == 0 and "2 finished" in text


@pytest.mark.parametrize("content", ["", "{}", "[", '{"n_test": 1}'])
@pytest.mark.fault("experiments: a damaged results.json")
def test_damaged_results_are_no_results(content, experiments, write_plan):
    plan = write_plan(["linear"], folds=[1])
    _, _, output = experiments(plan)
    cell = output / "ESC50/linear/seed_1234/fold_1"
    (cell / "results.json").write_text(content)
    (row,) = make_rows(collect(output))
    assert row.summary is None
    code, text, _ = experiments(plan)
    assert code == 0 and "0 of 1 cells are finished already" in text
    assert count(cell, "ends") == 2
    (row,) = make_rows(collect(output))
    assert row.summary.done == 1


def test_a_damaged_plan_is_named(experiments, write_plan, capsys):
    _, _, output = experiments(write_plan(["linear"], folds=[1]))
    for content in ("", "{}", "[]"):
        (output / "plan.json").write_text(content)
        assert main(["table", str(output)]) == 2
        said = capsys.readouterr().err
        assert f"{output / 'plan.json'}' is damaged" in said


def test_every_state(tmp_path):
    def write(name, content):
        """Adds a file."""
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(content))

    assert state(tmp_path, "1") == "new"
    write("cell.json", {"hash": "1"})
    assert state(tmp_path, "1") == "interrupted"
    write("failed.json", {})
    assert state(tmp_path, "1") == "failed"
    write("results.json", {"accuracy": 1.0})
    assert state(tmp_path, "1") == "failed", "its artefact is missing"
    write("artefact/artefact.json", {})
    assert state(tmp_path, "1") == state(tmp_path, None) == "finished"
    assert state(tmp_path, "2") == "other"


def test_the_data_are_told_apart(data):
    before = data_fingerprint(str(data))
    (data / "meta.csv").write_text("b,a\n")
    data_fingerprint.cache_clear()
    assert data_fingerprint(str(data)) != before
    with pytest.raises(ValueError, match="no data folder /nowhere"):
        data_fingerprint("/nowhere")
