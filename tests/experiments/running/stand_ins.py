"""What tests of runners need: variants that behave, processes to watch."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

BAD = {"label": "bad", "yaml": "lora", "overrides": {"behave": "fail"}}
SLOW = {"label": "slow", "yaml": "lora", "overrides": {"behave": "wait"}}
TORCHRUN = ("--launcher", "torchrun", "--nproc", "2")


def count(folder, name):
    """How often a cell was started or ended."""
    file = folder / name
    return len(file.read_text()) if file.exists() else 0


def alive(file):
    """Returns True if the process that wrote its number to a file lives."""
    try:
        os.kill(int(file.read_text()), 0)
    except ProcessLookupError:
        return False
    return True


def until(condition):
    """Waits for something to happen."""
    deadline = time.time() + 60
    while not condition():
        assert time.time() < deadline
        time.sleep(0.05)


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
