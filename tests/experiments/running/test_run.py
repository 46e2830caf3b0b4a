"""Cells are run once, resumed when interrupted, kept when they fail."""

import json
import shutil
import subprocess

import pytest
from speechbrain_petl.experiments.__main__ import main
from speechbrain_petl.experiments.reporting.collect import collect
from speechbrain_petl.experiments.reporting.rows import make_rows
from speechbrain_petl.experiments.running import run
from speechbrain_petl.experiments.running.locks import is_running, lock_of

from tests.experiments.running.stand_ins import BAD, count, until


def test_finished_cells_are_not_run_again(experiments, write_plan, data):
    plan = write_plan(["linear", "lora"])
    code, text, output = experiments(plan, "--jobs", "2")
    assert code == 0 and "4 finished" in text
    assert "speechbrain-petl experiments report " in text.splitlines()[-1]
    cells = sorted(path.parent for path in output.rglob("cell.json"))
    assert [count(cell, "ends") for cell in cells] == [1, 1, 1, 1]
    code, text, _ = experiments(plan)
    assert code == 0 and "4 of 4 cells are finished already" in text
    assert [count(cell, "starts") for cell in cells] == [1, 1, 1, 1]
    command = json.loads((cells[0] / "cell.json").read_text())["command"]
    assert f"--data_folder={data}" in command and "--test_fold=1" in command


@pytest.mark.fault("experiments: a run fails")
def test_a_failed_cell_stops_nothing(experiments, write_plan):
    plan = write_plan([BAD, "linear"])
    code, text, output = experiments(plan)
    assert code == 1 and "2 failed" in text and "2 finished" in text
    cell = output / "ESC50/bad/seed_1234/fold_1"
    failure = json.loads((cell / "failed.json").read_text())
    assert failure["exit_code"] == 1
    assert failure["log_tail"][-1] == "the loss is nan"
    assert f"    the loss is nan; {cell}/run.log has more" in text
    for mended in output.glob("ESC50/bad/*/*"):
        (mended / "mended").touch()
    code, text, _ = experiments(plan)
    assert code == 0 and "[4/4]" in text
    assert not (cell / "failed.json").exists()


def test_other_settings_or_data_are_refused(experiments, write_plan, data):
    plan = write_plan(["linear"], folds=[1])
    _, _, output = experiments(plan)
    cell = output / "ESC50/linear/seed_1234/fold_1"
    code, text, _ = experiments(plan, "--set", "lr=0.2")
    assert code == 1 and "of other settings or data" in text
    assert count(cell, "starts") == 1
    code, _, _ = experiments(plan, "--set", "lr=0.2", "--force")
    assert code == 0
    assert json.loads((cell / "results.json").read_text())[
        "hyperparameters"
    ] == {"lr": 0.2}
    assert count(cell, "starts") == 1, "the folder was emptied first"
    (data / "new.wav").write_bytes(b"1234")
    from speechbrain_petl.experiments.running.state import data_fingerprint

    data_fingerprint.cache_clear()
    code, text, _ = experiments(plan, "--set", "lr=0.2")
    assert code == 1 and "1 other" in text


def test_a_line_tells_the_accuracy_and_what_is_left(experiments, write_plan):
    _, text, _ = experiments(write_plan(["linear"]))
    first, second = text.splitlines()[1:3]
    assert first.startswith("[1/2] finished ESC50/linear/seed_1234/fold_1 61")
    assert " 61.00 %, " in first and "; 1 left, about 0:00:0" in first
    assert " 62.00 %, " in second and "; 0 left, about 0:00:00" in second


def test_a_dry_run_only_tells(experiments, write_plan):
    plan = write_plan(["linear", BAD], folds=[1])
    code, text, output = experiments(plan, "--dry_run")
    assert code == 0 and "2 new" in text and not output.exists()
    experiments(plan)
    cell = output / "ESC50/linear/seed_1234/fold_1"
    before = (output / "plan.json").read_text()
    with lock_of(cell):
        _, text, _ = experiments(plan, "--dry_run", "--set", "seconds=1")
    assert "running      ESC50/linear/" in text
    assert "other        ESC50/bad/" in text
    assert (output / "plan.json").read_text() == before
    _, text, _ = experiments(plan, "--dry_run")
    assert "1 finished, 1 failed" in text


def test_what_another_process_runs_is_waited_for_at_rest(
    experiments, write_plan, monkeypatch
):
    """Neither asked for again and again, nor run twice."""
    plan = write_plan(["linear", "lora"], folds=[1], overrides={"seconds": 1})
    looks = []

    def look(folder):
        """Counts."""
        looks.append(folder)
        return is_running(folder)

    monkeypatch.setattr(run, "is_running", look)
    monkeypatch.setattr(run, "PAUSE", 0.2)
    _, _, output = experiments(plan, "--dry_run")
    cell = output / "ESC50/linear/seed_1234/fold_1"
    cell.mkdir(parents=True)
    looks.clear()
    holder = subprocess.Popen(["flock", cell / ".lock", "sleep", "2"])
    until(lambda: is_running(cell))
    code, _, _ = experiments(plan, "--jobs", "2")
    holder.wait()
    assert code == 0 and count(cell, "starts") == 1
    assert 3 < len(looks) < 40


def test_results_of_two_settings_never_meet(experiments, write_plan):
    plan = write_plan(["linear"])
    _, _, output = experiments(plan, "--folds", "1")
    code, _, _ = experiments(plan, "--set", "lr=0.3")
    assert code == 1
    (row,) = make_rows(collect(output))
    assert (row.summary.done, row.summary.expected) == (1, 2)
    assert row.summary.mean == pytest.approx(82), "fold 2 at 0.3"


def test_parts_of_a_plan_add_up(experiments, write_plan):
    plan = write_plan(
        ["linear", "lora"], corpora=["ESC50", "GoogleSpeechCommands"]
    )
    _, _, output = experiments(plan, "--corpora", "ESC50", "--folds", "2")
    experiments(plan, "--corpora", "ESC50", "--folds", "1")
    rows = make_rows(collect(output))
    assert [(r.corpus, r.summary.done) for r in rows] == [("ESC50", 2)] * 2
    experiments(plan, "--corpora", "GoogleSpeechCommands")
    assert collect(output).plan["corpora"] == ["ESC50", "GoogleSpeechCommands"]
    assert len(collect(output).results) == 6
    experiments(plan, "--folds", "1", "--set", "lr=0.2", "--force")
    rows = {
        (r.corpus, r.variant): r.summary for r in make_rows(collect(output))
    }
    assert rows["ESC50", "lora"].done == 1, "fold 2 was of other settings"


def test_plans_share_a_folder_and_their_cells(experiments, write_plan, capsys):
    plan = write_plan(["linear", "lora"])
    first = plan.rename(plan.with_name("first.yaml"))
    second = write_plan(["lora"]).rename(plan.with_name("second.yaml"))
    _, _, output = experiments(first)
    _, text, _ = experiments(second)
    assert "2 of 2 cells are finished already" in text
    assert main(["table", str(output)]) == 0
    assert "linear" not in capsys.readouterr().out
    assert main(["table", str(output), "--plan", "first"]) == 0
    assert "linear" in capsys.readouterr().out
    assert (output / "plans" / "first" / "tables" / "table.tex").is_file()
    assert main(["table", str(output), "--plan", "fifth"]) == 2
    assert "one of first, second" in capsys.readouterr().err


def test_durations_for_people():
    assert run.clock(3599.9) == "0:59:59"
    assert run.clock(3700) == "1:01:40"


def test_only_and_shards(experiments, write_plan):
    plan = write_plan(["linear", "lora"], folds=[1, 2, 3])
    code, _, output = experiments(plan, "--only", "*/lora/*", "--shard", "2/2")
    assert code == 0
    names = [p.parent.relative_to(output) for p in output.rglob("cell.json")]
    assert list(map(str, names)) == ["ESC50/lora/seed_1234/fold_2"]
    code, text, _ = experiments(plan, "--shard", "3/2")
    assert code == 2 and "such as 1/4" in text
    code, text, _ = experiments(plan, "--only", "nothing")
    assert code == 2 and "No cell is left" in text
    code, text, _ = experiments(plan, "--data_folder", "ESC50=/nowhere")
    assert code == 2 and "no data folder /nowhere" in text


def test_a_corpus_of_one_s_own_from_plan_to_table(
    recipes, write_plan, data, tmp_path, capsys
):
    """The record keeps what its tables need, part by part."""
    shutil.move(recipes / "ESC50", recipes / "Frogs")
    file = recipes / "Frogs" / "corpus.yaml"
    file.write_text(file.read_text().replace("ESC-50", "Frogs of Europe"))
    plan = write_plan(
        ["lora"],
        corpora=["Frogs", "GoogleSpeechCommands"],
        data_folders=dict.fromkeys(
            ["Frogs", "GoogleSpeechCommands"], str(data)
        ),
    )
    arguments = ["run", str(plan), "--recipes", str(recipes)]
    arguments += ["--output", str(tmp_path / "out"), "--corpora"]
    assert main([*arguments, "Frogs"]) == 0
    assert main([*arguments, "GoogleSpeechCommands"]) == 0
    shutil.rmtree(recipes)
    capsys.readouterr()
    assert main(["table", str(tmp_path / "out")]) == 0
    text = capsys.readouterr().out
    assert "## Frogs of Europe" in text and "## GSC" in text
    assert "Frogs of Europe is an excerpt here" in text, "100 of 400 clips"
