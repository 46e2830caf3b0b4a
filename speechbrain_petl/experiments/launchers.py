"""Where jobs run: on this machine, or by Slurm."""

import os
import queue
import subprocess
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import torch
from speechbrain_petl.experiments.job import Job, run_job


class Local:
    """Runs jobs side by side on this machine.

    Each has its own GPU if there are several, and its share of the cores.

    Arguments
    ---------
    jobs : int
        How many at once.
    force : bool
        Throw away what is there of another plan.
    """

    def __init__(self, jobs: int, force: bool = False):
        self.force = force
        self.pool = ThreadPoolExecutor(jobs)
        self.running: set[subprocess.Popen] = set()
        self.stopped = threading.Event()
        self.gpus: queue.SimpleQueue = queue.SimpleQueue()
        for turn in range(jobs):
            n_gpus = torch.cuda.device_count()
            self.gpus.put(str(turn % n_gpus) if n_gpus > 1 else None)
        threads = max(1, (os.cpu_count() or 1) // jobs)
        self.environment = {
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(threads)),
            # Threads that wait by spinning slow their neighbours down.
            "OMP_WAIT_POLICY": "PASSIVE",
        }

    def __call__(self, job: Job) -> Future:
        """Starts a job when there is room for it."""
        return self.pool.submit(self._run, job)

    def _run(self, job):
        """Runs a job on a GPU that is free."""
        gpu = self.gpus.get()
        one = {} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu}
        try:
            return run_job(
                job, {**self.environment, **one}, self.force, self._started
            )
        finally:
            self.gpus.put(gpu)

    def _started(self, process):
        """Remembers what has to be stopped with this process."""
        self.running.add(process)
        if self.stopped.is_set():
            process.terminate()

    def stop(self) -> None:
        """Stops all jobs; the same command goes on with them later."""
        self.stopped.set()
        self.pool.shutdown(wait=False, cancel_futures=True)
        for process in list(self.running):
            if process.poll() is None:
                process.terminate()
        self.pool.shutdown()


class Submitit:
    """Hands jobs to Slurm, or to submitit's stand-in for it.

    Arguments
    ---------
    folder : Path
        For Slurm's scripts and logs; every machine has to see it.
    cluster : str
        ``slurm``, or ``local`` for a try on this machine.
    force : bool
        Throw away what is there of another plan.
    parameters : dict
        Of submitit's executor, such as ``slurm_partition``.

    Raises
    ------
    ValueError
        If submitit is not installed.
    """

    def __init__(
        self,
        folder: Path,
        cluster: str = "slurm",
        force: bool = False,
        **parameters,
    ):
        try:
            import submitit
        except ImportError:
            raise ValueError(
                "--launcher submitit needs submitit: pip install "
                "'speechbrain-petl[slurm]'."
            )
        self.force = force
        self.executor = submitit.AutoExecutor(folder=folder, cluster=cluster)
        self.executor.update_parameters(**parameters)
        self.watchers: list = []

    def __call__(self, job: Job) -> Future:
        """Submits a job; a thread waits for it."""
        handle = self.executor.submit(
            run_job, job, {"OMP_WAIT_POLICY": "PASSIVE"}, self.force
        )
        self.watchers.append(handle)
        future: Future = Future()

        def watch():
            """Passes on what the job returns."""
            try:
                future.set_result(handle.result())
            except Exception as error:
                future.set_exception(error)

        threading.Thread(target=watch, daemon=True).start()
        return future

    def stop(self) -> None:
        """Cancels what was submitted."""
        for handle in self.watchers:
            if not handle.done():
                handle.cancel()
