"""Cells are run once, resumed when interrupted, kept when they fail."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from speechbrain_petl.experiments.__main__ import main
from speechbrain_petl.experiments.planning.plan import Cell, Variant
from speechbrain_petl.experiments.reporting.collect import collect
from speechbrain_petl.experiments.reporting.rows import make_rows
from speechbrain_petl.experiments.running import processes, run
from speechbrain_petl.experiments.running.job import command_line
from speechbrain_petl.experiments.running.launchers import Local
from speechbrain_petl.experiments.running.locks import is_running, lock_of
from speechbrain_petl.experiments.running.processes import Processes

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


HANGS = """
import os, signal, subprocess, sys, time
folder = next(a for a in sys.argv if "output_folder" in a).partition("=")[2]
signal.signal(signal.SIGTERM, signal.SIG_IGN)
code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
child = subprocess.Popen([sys.executable, "-c", code + "; time.sleep(99)"])
open(folder + "/pid", "w").write(str(os.getpid()))
open(folder + "/child", "w").write(str(child.pid))
print("hanging", flush=True)
time.sleep(99)
"""


@pytest.mark.fault("experiments: a run that hangs")
def test_a_run_that_hangs_is_ended_with_all_it_started(
    experiments, recipes, write_plan, monkeypatch
):
    monkeypatch.setattr(processes, "GRACE", 0.2)
    good = (recipes / "ESC50" / "train.py").read_text()
    (recipes / "ESC50" / "train.py").write_text(HANGS)
    plan = write_plan(["linear"], folds=[1])
    code, text, output = experiments(plan, "--timeout", "2s")
    assert code == 1 and "1 failed" in text
    cell = output / "ESC50/linear/seed_1234/fold_1"
    failure = json.loads((cell / "failed.json").read_text())
    assert failure["reason"] == "it was ended after 2 s, see --timeout"
    assert failure["exit_code"] is None
    assert failure["log_tail"] == ["hanging"]
    until(lambda: not (alive(cell / "pid") or alive(cell / "child")))
    assert not is_running(cell)
    (recipes / "ESC50" / "train.py").write_text(good)
    code, _, _ = experiments(plan, "--timeout", "1h")
    assert code == 0 and not (cell / "failed.json").exists()


def test_a_run_without_an_artefact_says_so(experiments, recipes, write_plan):
    (recipes / "ESC50" / "train.py").write_text("print('nothing done')")
    _, _, output = experiments(write_plan(["linear"], folds=[1]))
    cell = output / "ESC50/linear/seed_1234/fold_1"
    failure = json.loads((cell / "failed.json").read_text())
    assert failure["exit_code"] == 0
    assert "ended without results" in failure["reason"]


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
    code, text, output = experiments(plan, "--dry-run")
    assert code == 0 and "2 new" in text and not output.exists()
    experiments(plan)
    cell = output / "ESC50/linear/seed_1234/fold_1"
    before = (output / "plan.json").read_text()
    with lock_of(cell):
        _, text, _ = experiments(plan, "--dry-run", "--set", "seconds=1")
    assert "running      ESC50/linear/" in text
    assert "other        ESC50/bad/" in text
    assert (output / "plan.json").read_text() == before
    _, text, _ = experiments(plan, "--dry-run")
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
    _, _, output = experiments(plan, "--dry-run")
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


def test_each_job_has_gpus_of_its_own(monkeypatch):
    """Those that the user left to this process, not the machine's first."""

    def devices(*arguments):
        """What the jobs of a launcher are given."""
        queue = Local(*arguments).gpus
        return [",".join(queue.get()) for _ in range(arguments[0])]

    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3,5,7")
    assert devices(4) == ["2", "3", "5", "7"]
    assert devices(2, False, 2) == ["2,3", "5,7"]
    assert devices(1, False, 4) == [""], "all of them"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert devices(5) == ["0", "1", "2", "3", "0"]
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    assert devices(2) == ["", ""]


def test_ranks_on_the_cpu_talk_by_gloo(monkeypatch, tmp_path):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    for device, expected in (("cuda", False), ("cpu", True)):
        cell = Cell("ESC50", Variant("a", "a"), 1, overrides={"device": device})
        command = command_line(cell, "data", tmp_path, n_processes=2)
        assert ("--distributed_backend=gloo" in command) == expected


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


def start(plan, recipes, output, *more):
    """Starts a runner as a process of its own."""
    command = [sys.executable, "-m", "speechbrain_petl.experiments", "run"]
    command += [str(plan), "--recipes", str(recipes), "--output", str(output)]
    root = str(Path(__file__).parents[3])
    return subprocess.Popen(
        [*command, *more],
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # Where the tests run in the background, SIGINT is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
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


def alive(file):
    """Whether the process that wrote its number to a file lives."""
    try:
        os.kill(int(file.read_text()), 0)
    except ProcessLookupError:
        return False
    return True


TORCHRUN = ("--launcher", "torchrun", "--nproc", "2")


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), TORCHRUN], ids=["local", "torchrun"])
@pytest.mark.fault("experiments: runner and all it started killed by SIGKILL")
def test_killed_with_all_it_started_it_goes_on(
    more, recipes, write_plan, tmp_path
):
    """Ranks of torchrun, which have sessions of their own, go down as well."""
    plan = write_plan(["linear", SLOW], folds=[1])
    output = tmp_path / "out"
    runner = start(plan, recipes, output, *more)
    cell = output / "ESC50/slow/seed_1234/fold_1"
    ranks = [cell / f"pid_{rank}" for rank in range(2 if more else 1)]
    until(lambda: all(r.exists() and r.read_text() for r in ranks))
    os.killpg(runner.pid, signal.SIGKILL)
    runner.wait()
    until(lambda: not any(map(alive, ranks)))
    (cell / "go").touch()
    runner = start(plan, recipes, output, *more)
    text, _ = runner.communicate(timeout=120)
    assert runner.returncode == 0, text
    assert "1 of 2 cells are finished already" in text
    assert count(cell, "starts") == 2 * len(ranks)
    assert count(cell, "ends") == len(ranks)


@pytest.mark.slow
@pytest.mark.fault("experiments: torchrun stopped by SIGINT")
def test_a_stopped_torchrun_has_not_failed(recipes, write_plan, tmp_path):
    plan = write_plan([SLOW], folds=[1])
    output = tmp_path / "out"
    cell = output / "ESC50/slow/seed_1234/fold_1"
    for way in (os.kill, os.killpg):  # by another program; by Ctrl-C
        runner = start(plan, recipes, output, *TORCHRUN)
        seen = count(cell, "starts")
        until(lambda: count(cell, "starts") == seen + 2)
        way(runner.pid, signal.SIGINT)
        text, _ = runner.communicate(timeout=120)
        assert runner.returncode == 130 and "the same command goes on" in text
        assert not (cell / "failed.json").exists()
        assert not alive(cell / "pid_0") and not alive(cell / "pid_1")


@pytest.mark.fault("experiments: a run that does not end when it is asked to")
def test_a_run_that_does_not_hear_is_killed(monkeypatch):
    monkeypatch.setattr(processes, "GRACE", 0.2)
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    code += "; print('deaf', flush=True); time.sleep(60)"
    deaf = subprocess.Popen([sys.executable, "-c", code], stdout=-1, text=True)
    assert deaf.stdout.readline() == "deaf\n"
    runs = Processes()
    waiting = threading.Thread(target=runs.wait, args=[deaf])
    waiting.start()
    until(lambda: runs.running)
    runs.stop()
    waiting.join(timeout=10)
    assert deaf.returncode == -signal.SIGKILL
    deaf.stdout.close()


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
    assert runner.returncode == 130 and "the same command goes on" in text
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


@pytest.mark.slow
@pytest.mark.fault("experiments: a Slurm job is lost")
def test_a_job_that_submitit_loses_stops_nothing(experiments, write_plan):
    pytest.importorskip("submitit")
    plan = write_plan(["linear", "lora"], folds=[1])
    _, _, output = experiments(plan, "--dry-run")
    lost = output / "ESC50/linear/seed_1234/fold_1"
    (lost / "run.log").mkdir(parents=True)  # so that the job itself raises
    arguments = ["--launcher", "submitit", "--cluster", "local"]
    code, text, _ = experiments(plan, *arguments)
    assert code == 1 and "1 failed" in text and "1 finished" in text
    failure = json.loads((lost / "failed.json").read_text())
    assert failure["exit_code"] is None
    assert any("IsADirectoryError" in line for line in failure["log_tail"])
