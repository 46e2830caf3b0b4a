"""Runners that are killed or stopped lose nothing."""

import os
import signal

import pytest

from tests.experiments.running.stand_ins import (
    SLOW,
    TORCHRUN,
    alive,
    count,
    start,
    until,
)


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
        assert (
            runner.returncode == 130 and "the same command goes on" in text
        ), text
        assert not (cell / "failed.json").exists()
        assert not alive(cell / "pid_0") and not alive(cell / "pid_1")


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
    assert runner.returncode == 130 and "the same command goes on" in text, text
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
