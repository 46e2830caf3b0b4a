"""Runs one cell, wherever: it is locked, logged, and its failure kept."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import torch
from speechbrain_petl.experiments.planning.plan import Cell
from speechbrain_petl.experiments.running import torchrun_worker as rank
from speechbrain_petl.experiments.running.state import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    OTHER,
    state,
    write_json,
)

from speechbrain.utils.run_opts import RunOptions

BUSY = "busy"  # another process has the cell
# Exit codes of a run that was asked to stop: it resumes next time
STOPPED = (-signal.SIGINT, -signal.SIGTERM, 128 + signal.SIGINT)
TAIL = 40  # lines of a failed run's log that are kept
GRACE = 40  # seconds to end in when asked; torchrun gives its processes 30


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
    flags = RunOptions().as_dict()
    options = []
    if n_processes > 1:
        launcher += ["-m", "torch.distributed.run", "--standalone"]
        launcher.append(f"--nproc_per_node={n_processes}")
        launcher += ["-m", rank.__name__]
        on_gpu = not str(cell.options().get("device", "cuda")).startswith("cpu")
        if not (on_gpu and torch.cuda.is_available()):
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


class Processes:
    """The processes of runs, to be stopped together."""

    def __init__(self):
        self.running: set[subprocess.Popen] = set()
        self.stopped = threading.Event()

    def wait(self, process: subprocess.Popen) -> int:
        """Waits for a process; gives its exit code."""
        self.running.add(process)
        if self.stopped.is_set():
            process.terminate()
        try:
            return process.wait()
        except BaseException:  # this thread is asked to stop, so the run is
            self.stop()
            process.wait()
            raise
        finally:
            self.running.discard(process)

    def stop(self) -> None:
        """Ends them all, and those that are still to come.

        What does not end when it is asked to is killed.
        """
        self.stopped.set()
        running = list(self.running)
        for process in running:
            if process.poll() is None:
                process.terminate()
        end = time.monotonic() + GRACE
        for process in running:
            try:
                process.wait(max(0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def lock_of(folder: Path) -> Iterator[IO | None]:
    """Holds the lock of a folder, as long as this process lives at most.

    Arguments
    ---------
    folder : Path
        What only one process may work in.

    Yields
    ------
    file or None
        The lock; None if another process holds it.
    """
    with open(folder / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock = None
        yield lock


def is_running(folder: str | Path) -> bool:
    """Whether some process, here or elsewhere, has the cell of a folder."""
    try:
        with open(Path(folder) / ".lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def run_job(
    job: Job,
    environment: Mapping[str, str],
    force: bool = False,
    processes: Processes | None = None,
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
    processes : Processes, optional
        What the run's process is stopped with.

    Returns
    -------
    outcome : str
        ``finished``, ``failed``, ``interrupted`` (it was asked to stop),
        ``other`` (what is there is of another plan) or ``busy``.
    seconds : float
    """
    folder, start = Path(job.folder), time.monotonic()
    processes = processes or Processes()
    folder.mkdir(parents=True, exist_ok=True)
    with lock_of(folder) as lock:
        if lock is None:
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
            code = processes.wait(process)
        seconds = time.monotonic() - start
        if code == 0 and state(folder, job.hash) == FINISHED:
            return FINISHED, seconds
        if code in STOPPED or processes.stopped.is_set():
            return INTERRUPTED, seconds
        text = (folder / "run.log").read_text("utf-8", errors="replace")
        write_failure(job, code, text)
        return FAILED, seconds


def write_failure(job: Job, exit_code: int | None, log: str) -> None:
    """Keeps why a cell failed: its command, exit code and last lines."""
    write_json(
        Path(job.folder) / "failed.json",
        {
            "command": job.command,
            "exit_code": exit_code,
            "log_tail": log.splitlines()[-TAIL:],
        },
    )


def _empty(folder):
    """Removes all but the lock."""
    for path in folder.iterdir():
        if path.name != ".lock":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
