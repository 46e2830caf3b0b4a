"""Runs one cell, wherever: it is locked, logged, and its failure kept."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from speechbrain_petl.experiments.cells import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    OTHER,
    state,
    write_json,
)
from speechbrain_petl.experiments.plan import Cell

from speechbrain.utils.run_opts import RunOptions

BUSY = "busy"  # another process has the cell
# Exit codes of a run that was asked to stop: it resumes next time
STOPPED = (-signal.SIGINT, -signal.SIGTERM, 128 + signal.SIGINT)
TAIL = 40  # lines of a failed run's log that are kept


class Job(NamedTuple):
    """A cell, ready to be run on any machine that sees its folders.

    Arguments
    ---------
    name : str
        The cell's.
    folder : str
        Its output folder.
    hash : str
        What it should be of.
    command : list of str
        Command line.
    recipe : str
        Where to run it.
    """

    name: str
    folder: str
    hash: str
    command: list[str]
    recipe: str


def command_line(
    cell: Cell, data_folder: str, folder: Path, n_processes: int = 1
) -> list[str]:
    """The command of a cell.

    Arguments
    ---------
    cell : Cell
        The run.
    data_folder : str
        The corpus.
    folder : Path
        The output folder.
    n_processes : int
        More than one: data parallel, by ``torchrun``.

    Returns
    -------
    list of str
    """
    launcher = [sys.executable]
    if n_processes > 1:
        launcher += ["-m", "torch.distributed.run", "--standalone"]
        launcher.append(f"--nproc_per_node={n_processes}")
    flags = RunOptions().as_dict()
    options = []
    if n_processes > 1 and not torch.cuda.is_available():
        options.append("--distributed_backend=gloo")
    for key, value in cell.options().items():
        if isinstance(flags.get(key), bool):
            options += [f"--{key}"] if value else []
        else:
            options.append(f"--{key}={'null' if value is None else value}")
    return [
        *launcher,
        "train.py",
        f"hparams/{cell.variant.yaml}.yaml",
        f"--data_folder={data_folder}",
        f"--output_folder={folder}",
        *options,
        *([] if "noprogressbar" in cell.options() else ["--noprogressbar"]),
    ]


def run_job(
    job: Job,
    environment: Mapping[str, str],
    force: bool = False,
    on_start=lambda process: None,
) -> tuple[str, float]:
    """Runs a cell unless it is finished or another process has it.

    The lock is the running process's too: it holds when what started it is
    killed, and is gone with the last of them.

    Arguments
    ---------
    job : Job
        The cell.
    environment : dict of str to str
        Variables on top of this process's.
    force : bool
        Throw away what is there of another plan.
    on_start : callable
        Is given the process.

    Returns
    -------
    outcome : str
        ``finished``, ``failed``, ``interrupted`` (it was asked to stop),
        ``other`` (what is there is of another plan) or ``busy``.
    seconds : float
    """
    folder, start = Path(job.folder), time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return BUSY, 0.0
        before = state(folder, job.hash)
        if before == FINISHED or (before == OTHER and not force):
            return before, 0.0
        if before == OTHER:
            _empty(folder)
        (folder / "failed.json").unlink(missing_ok=True)
        write_json(
            folder / "cell.json", {"hash": job.hash, "command": job.command}
        )
        with open(folder / "run.log", "ab") as log:
            process = subprocess.Popen(
                job.command,
                cwd=job.recipe,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[lock.fileno()],
            )
            on_start(process)
            code = process.wait()
        if code == 0 and state(folder, job.hash) == FINISHED:
            return FINISHED, time.monotonic() - start
        if code in STOPPED:
            return INTERRUPTED, time.monotonic() - start
        text = (folder / "run.log").read_text("utf-8", errors="replace")
        write_json(
            folder / "failed.json",
            {
                "command": job.command,
                "exit_code": code,
                "log_tail": text.splitlines()[-TAIL:],
            },
        )
        return FAILED, time.monotonic() - start


def _empty(folder):
    """Removes all but the lock."""
    for path in folder.iterdir():
        if path.name != ".lock":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
