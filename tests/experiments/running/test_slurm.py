"""Jobs that Slurm puts back, cancels, or has forgotten.

Tests with the mark ``slurm`` run on a real Slurm: see ``make test-slurm``.
"""

import os
import shutil
import stat
import subprocess
import time

import pytest
from speechbrain_petl.experiments.running.job import Job
from speechbrain_petl.experiments.running.slurm import (
    Submitted,
    states,
    use_squeue_without_accounting,
)

from tests.experiments.running.stand_ins import SLOW, count, start, until

slurm = pytest.importorskip("submitit.slurm.slurm")


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Writes stand-ins of Slurm's commands: ``commands(sacct="exit 1")``."""

    def write(**scripts):
        for name, script in scripts.items():
            file = tmp_path / "bin" / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"#!/bin/sh\n{script}\n")
            file.chmod(file.stat().st_mode | stat.S_IEXEC)
        path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
        monkeypatch.setenv("PATH", path)

    # What a test sets is taken back.
    monkeypatch.setattr(slurm.SlurmJob, "watcher", slurm.SlurmJob.watcher)
    return write


def test_accounting_is_asked_where_it_is_on(commands):
    commands(sacct="exit 0")
    before = slurm.SlurmJob.watcher
    assert not use_squeue_without_accounting()
    assert slurm.SlurmJob.watcher is before


def test_the_queue_is_asked_where_accounting_is_off(commands, caplog):
    commands(sacct="echo disabled >&2; exit 1", squeue="echo '7|RUNNING|n1'")
    assert use_squeue_without_accounting()
    watcher = slurm.SlurmJob.watcher
    assert not watcher.is_done("7", mode="force")
    assert watcher.is_done("8", mode="force"), "the queue has forgotten it"
    assert watcher.get_state("8", mode="cache") == "FORGOTTEN"
    commands(squeue="echo '7|CANCELLED|'")
    time.sleep(0.01)  # submitit asks at most once a millisecond
    assert watcher.is_done("7", mode="force")
    calls = watcher.num_calls
    time.sleep(0.01)
    assert watcher.is_done("7", mode="force")
    assert watcher.num_calls == calls, "nothing is left to be watched"
    assert not caplog.records


@pytest.mark.parametrize("state", ["CONFIGURING", "REQUEUE_HOLD", "STOPPED"])
def test_what_may_run_again_has_not_ended(state):
    found = states(f"7|{state}|n1\n9|FAILED|n1\n", {"7"})
    assert found == {"7": {"State": "RUNNING", "NodeList": "n1"}}


def test_a_job_that_is_put_back_is_the_same_again():
    job = Job("cell", "folder", "hash", ["train"], "recipe")
    submitted = Submitted(job, {"A": "1"}, True, 5.0)
    again = submitted.checkpoint()
    assert again.function == submitted and not again.args


@pytest.mark.fault("experiments: there is no Slurm")
def test_without_slurm_a_sentence_says_so(experiments, write_plan, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    plan = write_plan(["linear"], folds=[1])
    code, text, _ = experiments(plan, "--launcher", "submitit")
    assert code == 2 and "there is no srun here" in text


@pytest.fixture
def cluster():
    """Asks for two idle nodes, and cancels what a test has left."""
    if shutil.which("sinfo") is None or "SLURM_CONF" not in os.environ:
        pytest.skip("no Slurm of this test's own: make test-slurm")
    nodes = ["sinfo", "--noheader", "--states=idle", "--format=%D"]
    until(lambda: subprocess.check_output(nodes, text=True).strip() == "2")
    yield
    subprocess.run(["scancel", "--partition=all"], check=True)


def on_slurm(minutes=5):
    """Returns the options of a run on Slurm with a time limit."""
    options = ["--launcher", "submitit", "--slurm", f"timeout_min={minutes}"]
    return [*options, "--slurm", "slurm_mem=0"]


def running(name="RUNNING"):
    """Returns the numbers of the jobs in a state."""
    command = ["squeue", "--noheader", f"--states={name}", "--format=%i"]
    return subprocess.check_output(command, text=True).split()


@pytest.mark.slurm
def test_cells_run_and_nothing_is_warned_of(cluster, experiments, write_plan):
    plan = write_plan(["linear", "lora"])
    code, text, output = experiments(plan, *on_slurm(), "--jobs", "2")
    assert code == 0, text
    assert "submitit" not in text and "sacct" not in text
    cells = list(output.glob("ESC50/*/seed_1234/fold_*"))
    assert [count(cell, "ends") for cell in cells] == [1] * 4
    assert len(list((output / "slurm").glob("*_log.err"))) == 4


@pytest.mark.slurm
@pytest.mark.fault("experiments: a Slurm job is cancelled, or killed")
@pytest.mark.parametrize("outcome", ["interrupted", "failed"])
def test_a_job_that_is_ended_goes_on_later(
    cluster, recipes, write_plan, tmp_path, outcome
):
    """One that is asked to end says so; one that is killed is lost."""
    psutil = pytest.importorskip("psutil")
    plan = write_plan([SLOW, "linear"], folds=[1])
    output = tmp_path / "out"
    runner = start(plan, recipes, output, *on_slurm(), "--jobs", "2")
    slow = output / "ESC50/slow/seed_1234/fold_1"
    quick = output / "ESC50/linear/seed_1234/fold_1"
    until(lambda: count(slow, "starts") == count(quick, "ends") == 1)
    until(lambda: len(running()) == 1)
    if outcome == "interrupted":
        subprocess.run(["scancel", *running()], check=True)
    else:
        psutil.Process(int((slow / "pid_0").read_text())).parent().kill()
    text, _ = runner.communicate(timeout=180)
    assert runner.returncode == 1 and f"1 {outcome}" in text, text
    assert "1 finished" in text and "WARNING" not in text, text
    assert (slow / "failed.json").exists() == (outcome == "failed")
    (slow / "go").touch()
    runner = start(plan, recipes, output, *on_slurm())
    text, _ = runner.communicate(timeout=180)
    assert runner.returncode == 0, text
    assert count(slow, "ends") == 1
    if outcome == "interrupted":  # else the run outlived its killed job
        assert count(slow, "starts") == 2


@pytest.mark.slurm
@pytest.mark.fault("experiments: a Slurm job reaches its time limit")
def test_a_job_at_its_time_limit_is_put_back_and_goes_on(
    cluster, recipes, write_plan, tmp_path
):
    plan = write_plan([SLOW], folds=[1])
    output = tmp_path / "out"
    limit = [*on_slurm(2), "--slurm", "slurm_signal_delay_s=30"]
    runner = start(plan, recipes, output, *limit)
    slow = output / "ESC50/slow/seed_1234/fold_1"
    deadline = time.time() + 300
    while count(slow, "starts") < 2:
        assert time.time() < deadline
        assert runner.poll() is None, runner.communicate()[0]
        time.sleep(0.5)
    (slow / "go").touch()
    text, _ = runner.communicate(timeout=180)
    assert runner.returncode == 0, text
    assert "finished ESC50/slow" in text and "WARNING" not in text
    assert count(slow, "ends") == 1


@pytest.mark.slurm
def test_a_stopped_runner_cancels_its_jobs(
    cluster, recipes, write_plan, tmp_path
):
    plan = write_plan([SLOW], folds=[1])
    output = tmp_path / "out"
    runner = start(plan, recipes, output, *on_slurm())
    slow = output / "ESC50/slow/seed_1234/fold_1"
    until(lambda: count(slow, "starts") == 1)
    runner.terminate()
    text, _ = runner.communicate(timeout=60)
    assert runner.returncode == 130 and "the same command goes on" in text
    until(lambda: not running() and not running("COMPLETING"))
