"""Where jobs run: on this machine's GPUs, or by Slurm."""

import json

import pytest
from speechbrain_petl.experiments.running.launchers import Local

from tests.experiments.running.stand_ins import count


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
    _, _, output = experiments(plan, "--dry_run")
    lost = output / "ESC50/linear/seed_1234/fold_1"
    (lost / "run.log").mkdir(parents=True)  # so that the job itself raises
    arguments = ["--launcher", "submitit", "--cluster", "local"]
    code, text, _ = experiments(plan, *arguments)
    assert code == 1 and "1 failed" in text and "1 finished" in text
    failure = json.loads((lost / "failed.json").read_text())
    assert failure["exit_code"] is None
    assert any("IsADirectoryError" in line for line in failure["log_tail"])
