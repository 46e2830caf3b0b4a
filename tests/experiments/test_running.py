"""Cells are run once, resumed when interrupted, kept when they fail."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from speechbrain_petl.experiments.__main__ import main

BAD = {"label": "bad", "yaml": "lora", "overrides": {"behave": "fail"}}
SLOW = {"label": "slow", "yaml": "lora", "overrides": {"behave": "wait"}}


def count(folder, name):
    """How often a cell was started or ended."""
    file = folder / name
    return len(file.read_text()) if file.exists() else 0


@pytest.fixture
def experiments(recipes, tmp_path, capsys):
    """Runs a plan in this process: exit code, and what was printed."""

    def run(plan, *more):
        output = tmp_path / "out"
        arguments = ["run", str(plan), "--recipes", str(recipes)]
        code = main([*arguments, "--output", str(output), *more])
        printed = capsys.readouterr()
        return code, printed.out + printed.err, output

    return run


def test_finished_cells_are_not_run_again(experiments, write_plan, data):
    plan = write_plan(["linear", "lora"])
    code, text, output = experiments(plan, "--jobs", "2")
    assert code == 0 and "4 finished" in text
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
    from speechbrain_petl.experiments.cells import data_fingerprint

    data_fingerprint.cache_clear()
    code, text, _ = experiments(plan, "--set", "lr=0.2")
    assert code == 1 and "1 other" in text


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


def start(plan, recipes, output, *more):
    """Starts a runner as a process of its own."""
    command = [sys.executable, "-m", "speechbrain_petl.experiments", "run"]
    command += [str(plan), "--recipes", str(recipes), "--output", str(output)]
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        [*command, *more],
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(condition):
    """Waits for something to happen."""
    deadline = time.time() + 60
    while not condition():
        assert time.time() < deadline
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.fault("experiments: runner killed by SIGKILL")
def test_a_killed_runner_loses_nothing(recipes, write_plan, tmp_path):
    """Not even the run that it leaves behind is run twice."""
    plan = write_plan(["linear", SLOW], folds=[1, 2])
    output = tmp_path / "out"
    first = start(plan, recipes, output)
    orphan = output / "ESC50/slow/seed_1234/fold_1"
    until(lambda: count(orphan, "starts"))
    first.send_signal(signal.SIGKILL)
    first.wait()
    second = start(plan, recipes, output)
    other = output / "ESC50/slow/seed_1234/fold_2"
    until(lambda: count(other, "starts"))
    assert count(orphan, "starts") == 1, "it is still running"
    for cell in (orphan, other):
        (cell / "go").touch()
    text, _ = second.communicate(timeout=60)
    assert second.returncode == 0, text
    cells = [path.parent for path in output.rglob("cell.json")]
    assert len(cells) == 4
    assert {count(cell, "starts") for cell in cells} == {1}
    assert {count(cell, "ends") for cell in cells} == {1}


@pytest.mark.slow
@pytest.mark.fault("experiments: runner stopped by SIGTERM")
def test_a_stopped_runner_stops_its_runs_and_resumes(
    recipes, write_plan, tmp_path
):
    plan = write_plan([SLOW], folds=[1])
    output = tmp_path / "out"
    cell = output / "ESC50/slow/seed_1234/fold_1"
    runner = start(plan, recipes, output)
    until(lambda: count(cell, "starts"))
    runner.send_signal(signal.SIGTERM)
    text, _ = runner.communicate(timeout=60)
    assert runner.returncode == 1 and "the same command goes on" in text
    assert not (cell / "failed.json").exists()
    (cell / "go").touch()
    runner = start(plan, recipes, output)
    runner.communicate(timeout=60)
    assert runner.returncode == 0
    assert (count(cell, "starts"), count(cell, "ends")) == (2, 1)


@pytest.mark.slow
@pytest.mark.fault("experiments: two runners on one folder")
def test_two_runners_share_the_work(recipes, write_plan, tmp_path):
    plan = write_plan(
        ["linear", "lora"], folds=[1, 2, 3], overrides={"seconds": 0.5}
    )
    output = tmp_path / "out"
    runners = [start(plan, recipes, output) for _ in range(2)]
    for runner in runners:
        text, _ = runner.communicate(timeout=120)
        assert runner.returncode == 0, text
    cells = [path.parent for path in output.rglob("cell.json")]
    assert [count(cell, "starts") for cell in cells] == [1] * 6


@pytest.mark.slow
def test_submitit_runs_cells(experiments, write_plan):
    pytest.importorskip("submitit")
    plan = write_plan(["linear"], folds=[1])
    arguments = ["--launcher", "submitit", "--cluster", "local"]
    code, text, output = experiments(plan, *arguments)
    assert code == 0, text
    assert count(output / "ESC50/linear/seed_1234/fold_1", "ends") == 1
