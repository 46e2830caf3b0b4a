"""What hangs is ended, with all that it has started."""

import json
import signal
import subprocess
import sys
import threading

import pytest
from speechbrain_petl.experiments.running import processes
from speechbrain_petl.experiments.running.locks import is_running
from speechbrain_petl.experiments.running.processes import Processes

from tests.experiments.running.stand_ins import alive, until

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
    assert failure["reason"] == "it was ended after 2 s, its longest time"
    assert failure["exit_code"] is None
    assert failure["log_tail"] == ["hanging"]
    until(lambda: not (alive(cell / "pid") or alive(cell / "child")))
    assert not is_running(cell)
    (recipes / "ESC50" / "train.py").write_text(good)
    code, _, _ = experiments(plan, "--timeout", "1h")
    assert code == 0 and not (cell / "failed.json").exists()


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
