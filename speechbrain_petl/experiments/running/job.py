"""Runs one cell, wherever: it is locked, logged, and its failure kept."""

import shutil
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from speechbrain_petl.experiments.planning.plan import Cell
from speechbrain_petl.experiments.running import torchrun_worker as rank
from speechbrain_petl.experiments.running.locks import lock_of
from speechbrain_petl.experiments.running.processes import Processes
from speechbrain_petl.experiments.running.state import (
    DAMAGED,
    FAILED,
    FINISHED,
    INTERRUPTED,
    OTHER,
    state,
    write_json,
)
from speechbrain_petl.utils.files import read_json
from speechbrain_petl.utils.messages import printable
from speechbrain_petl.utils.run_options import run_options

BUSY = "busy"  # another process has the cell
# Exit codes of a run that was asked to stop: it resumes next time
STOPPED = (-signal.SIGINT, -signal.SIGTERM, 128 + signal.SIGINT)
TAIL = 40  # lines of a failed run's log that are kept


class Job(NamedTuple):
    """A cell, ready to be run on any machine with access to its folders.

    Arguments
    ---------
    name : str
        Name of the cell.
    folder : str
        Output folder.
    hash : str
        Identity of the settings and the data.
    command : list of str
        Command line.
    recipe : str
        Folder to run it in.
    """

    name: str
    folder: str
    hash: str
    command: list[str]
    recipe: str


def has_gpu() -> bool:
    """Returns True if torch sees a GPU; imports it only to ask."""
    import torch

    return torch.cuda.is_available()


def command_line(
    cell: Cell, data_folder: str, folder: Path, n_processes: int = 1
) -> list[str]:
    """Returns the command of a cell.

    Arguments
    ---------
    cell : Cell
        The run.
    data_folder : str
        Folder of the corpus.
    folder : Path
        Output folder.
    n_processes : int
        Number of processes; more than one runs data parallel, by
        ``torchrun``.

    Returns
    -------
    list of str
    """
    launcher = [sys.executable]
    flags = run_options()
    options = []
    if n_processes > 1:
        launcher += ["-m", "torch.distributed.run", "--standalone"]
        launcher.append(f"--nproc_per_node={n_processes}")
        launcher += ["-m", rank.__name__]
        on_gpu = not str(cell.options().get("device", "cuda")).startswith("cpu")
        if not (on_gpu and has_gpu()):
            options.append("--distributed_backend=gloo")
    for key, value in cell.options().items():
        if isinstance(flags.get(key), bool):
            options += [f"--{key}"] if value else []
        else:
            options.append(f"--{key}={'null' if value is None else value}")
    return [
        *launcher,
        "train.py",
        cell.yaml,
        f"--data_folder={data_folder}",
        f"--output_folder={folder}",
        *options,
        *([] if "noprogressbar" in cell.options() else ["--noprogressbar"]),
    ]


def run_job(
    job: Job,
    environment: Mapping[str, str],
    force: bool = False,
    processes: Processes | None = None,
    timeout: float | None = None,
) -> tuple[str, float]:
    """Runs a cell unless it is finished or another process has it.

    The process of the run inherits the lock, which therefore outlives a runner
    that is killed, and is released with the last of both.

    Arguments
    ---------
    job : Job
        The cell.
    environment : dict of str to str
        Environment variables in addition to those of this process.
    force : bool
        If True, discards what the folder holds of other settings or data.
    processes : Processes, optional
        Group of processes that are stopped together.
    timeout : float, optional
        Seconds after which a run is ended, and has failed.

    Returns
    -------
    outcome : str
        ``finished``, ``failed``, ``interrupted`` (it was asked to stop),
        ``other`` (what is there is of another plan), ``damaged`` (it cannot be
        told of which) or ``busy``.
    seconds : float
        How long it took.
    """
    folder, start = Path(job.folder), time.monotonic()
    processes = processes or Processes()
    folder.mkdir(parents=True, exist_ok=True)
    with lock_of(folder) as lock:
        if lock is None:
            return BUSY, 0.0
        before = state(folder, job.hash)
        foreign = before in (OTHER, DAMAGED)
        if before == FINISHED or (foreign and not force):
            return before, 0.0
        if foreign:
            _empty(folder)
        (folder / "failed.json").unlink(missing_ok=True)
        write_json(
            folder / "cell.json", {"hash": job.hash, "command": job.command}
        )
        with open(folder / "run.log", "ab") as log:
            process = processes.start(
                job.command, job.recipe, environment, log, lock
            )
            code = processes.wait(process, timeout)
        seconds = time.monotonic() - start
        if code == 0 and state(folder, job.hash) == FINISHED:
            return FINISHED, seconds
        if code in STOPPED or processes.stopped.is_set():
            return INTERRUPTED, seconds
        reason = "the command failed"
        if code is None:
            reason = f"it was ended after {timeout:g} s, its longest time"
        elif code == 0:
            reason = "the command ended without results and an artefact"
        text = (folder / "run.log").read_text("utf-8", errors="replace")
        write_failure(job, code, text, reason)
        return FAILED, seconds


def write_failure(
    job: Job, exit_code: int | None, log: str, reason: str
) -> None:
    """Records why a cell failed.

    Arguments
    ---------
    job : Job
        The cell.
    exit_code : int or None
        Exit code of its command; None if it was ended or lost.
    log : str
        What it wrote, of which the last lines are kept.
    reason : str
        Why it failed, in a few words.
    """
    write_json(
        Path(job.folder) / "failed.json",
        {
            "command": job.command,
            "exit_code": exit_code,
            "reason": reason,
            "log_tail": log.splitlines()[-TAIL:],
        },
    )


def why_failed(folder: str | Path) -> str:
    """Returns why a cell failed, in a sentence.

    Arguments
    ---------
    folder : str or Path
        Output folder of the cell.

    Returns
    -------
    str
        The last line that its command wrote, if it ended by itself with an
        error; else what ``failed.json`` gives as the reason.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> job = Job("lora", str(folder), "", [], "")
    >>> write_failure(job, 1, "Epoch 1\\nError: no clips", "the command failed")
    >>> why_failed(folder)
    'no clips'
    """
    try:
        found = read_json(Path(folder) / "failed.json")
        lines = [line for line in found["log_tail"] if line.strip()]
        reason, code = found["reason"], found["exit_code"]
    except (ValueError, KeyError, OSError):
        return "it left no message"
    if code and lines:  # neither ended by the runner nor without an error
        reason = lines[-1].strip().removeprefix("Error: ")
    return printable(reason)


def _empty(folder):
    """Removes everything but the lock."""
    for path in folder.iterdir():
        if path.name != ".lock":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
