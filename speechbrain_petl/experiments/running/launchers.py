"""Where jobs run: on this machine, or by Slurm."""

import os
import queue
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from speechbrain_petl.experiments.running.job import Job, run_job, write_failure
from speechbrain_petl.experiments.running.processes import Processes
from speechbrain_petl.experiments.running.slurm import (
    MOST_LIMITS,
    Submitted,
    use_squeue_without_accounting,
)
from speechbrain_petl.experiments.running.state import FAILED
from speechbrain_petl.experiments.running.warm import Warm
from speechbrain_petl.utils.optional import require

# Threads that wait by spinning slow their neighbors down.
PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE"}


class Local:
    """Runs jobs side by side on this machine.

    Each has its own GPUs if there are several, and its share of the cores.

    Arguments
    ---------
    jobs : int
        Number of jobs at once.
    force : bool
        If True, discards what a folder holds of other settings or data.
    n_processes : int
        Processes of one job, each on its own GPU.
    timeout : float, optional
        Seconds after which a job is ended.
    """

    def __init__(
        self,
        jobs: int,
        force: bool = False,
        n_processes: int = 1,
        timeout: float | None = None,
    ):
        self.force = force
        self.timeout = timeout
        self.pool = ThreadPoolExecutor(jobs)
        self.gpus: queue.SimpleQueue = queue.SimpleQueue()
        for gpus in share_gpus(visible_gpus(), jobs, n_processes):
            self.gpus.put(gpus)
        threads = max(1, (os.cpu_count() or 1) // (jobs * n_processes))
        self.environment = {
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(threads)),
            **PASSIVE,
        }
        several = n_processes > 1
        self.processes = Processes() if several else Warm(self.environment)

    def __call__(self, job: Job) -> Future:
        """Starts a job when there is room for it."""
        return self.pool.submit(self._run, job)

    def _run(self, job):
        """Runs a job on GPUs that are free."""
        gpus = self.gpus.get()
        own = {"CUDA_VISIBLE_DEVICES": ",".join(gpus)} if gpus else {}
        try:
            environment = {**self.environment, **own}
            return run_job(
                job, environment, self.force, self.processes, self.timeout
            )
        finally:
            self.gpus.put(gpus)

    def stop(self) -> None:
        """Stops all jobs, to be resumed by the same command later."""
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.processes.stop()
        self.pool.shutdown()


def visible_gpus() -> list[str]:
    """Returns the visible GPUs, as CUDA_VISIBLE_DEVICES names them."""
    import torch  # seconds, which no other command should wait for

    count = torch.cuda.device_count()
    names = os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(
        map(str, range(count))
    )
    return names.split(",")[:count] if count else []


def share_gpus(gpus: list[str], jobs: int, n_processes: int) -> list[list[str]]:
    """Assigns GPUs to jobs; names none where there is no choice.

    Example
    -------
    >>> share_gpus(["0", "1", "2", "3"], 2, 2)
    [['0', '1'], ['2', '3']]
    >>> share_gpus(["0", "1"], 3, 1)  # more jobs than GPUs
    [['0'], ['1'], ['0']]
    """
    if len(gpus) <= n_processes:
        return [[]] * jobs
    turns = len(gpus) // n_processes
    return [
        gpus[turn % turns * n_processes :][:n_processes] for turn in range(jobs)
    ]


class Submitit:
    """Submits jobs to Slurm, or to submitit's local stand-in for it.

    A job that Slurm ends at its time limit, or for others, is put back into
    the queue, where its run goes on from its last checkpoint.

    Arguments
    ---------
    folder : Path
        Folder of Slurm's scripts and logs, visible to every machine.
    cluster : str
        ``slurm``, or ``local`` for a try on this machine.
    force : bool
        If True, discards what a folder holds of other settings or data.
    timeout : float, optional
        Seconds after which a job is ended.
    parameters : dict
        Parameters of submitit's executor, such as ``slurm_partition``.

    Raises
    ------
    ValueError
        If submitit is not installed, or Slurm is not there.
    """

    def __init__(
        self,
        folder: Path,
        cluster: str = "slurm",
        force: bool = False,
        timeout: float | None = None,
        **parameters,
    ):
        submitit = require("submitit", "experiments", "--launcher submitit")
        self.force = force
        self.timeout = timeout
        if cluster == "slurm":
            if shutil.which("srun") is None:
                raise ValueError(
                    "--launcher submitit needs Slurm, and there is no srun "
                    "here: start it on a machine of the cluster, or give "
                    "--cluster local to try it on this one."
                )
            use_squeue_without_accounting()
        self.executor = submitit.AutoExecutor(
            folder=folder, cluster=cluster, slurm_max_num_timeout=MOST_LIMITS
        )
        self.executor.update_parameters(**parameters)
        self.watchers: list = []

    def __call__(self, job: Job) -> Future:
        """Submits a job, and waits for it in a thread."""

        def lost(error):
            """Records that the job has failed."""
            write_failure(job, None, str(error), "the job was lost")
            return FAILED, 0.0

        return self.send(
            Submitted(job, PASSIVE, self.force, self.timeout), lost
        )

    def send(
        self, work: Callable[[], Any], lost: Callable[[Exception], Any]
    ) -> Future:
        """Submits a call, and waits for it in a thread.

        Arguments
        ---------
        work : callable
            What to run; with a method ``checkpoint``, submitit asks it what
            is to run after the job was put back into the queue.
        lost : callable
            Gives the result of a job that is lost, from the error.

        Returns
        -------
        Future
        """
        handle = self.executor.submit(work)
        self.watchers.append(handle)
        future: Future = Future()

        def watch():
            """Passes on the result of the job; a lost one has failed."""
            try:
                future.set_result(handle.result())
            except Exception as error:
                try:
                    future.set_result(lost(error))
                except OSError as worse:  # of the disk, say: all have to stop
                    future.set_exception(worse)

        threading.Thread(target=watch, daemon=True).start()
        return future

    def stop(self) -> None:
        """Cancels what was submitted."""
        for handle in self.watchers:
            if not handle.done():
                handle.cancel()
