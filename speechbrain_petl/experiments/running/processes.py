"""The processes of runs: waited for, limited in time, stopped together."""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping
from typing import IO, Any

from speechbrain_petl.utils.optional import require

GRACE = 40  # seconds to end in when asked; torchrun gives its processes 30


class Processes:
    """The processes of runs, to be stopped together.

    Raises
    ------
    ValueError
        If psutil is not installed.
    """

    def __init__(self):
        require("psutil", "experiments", "run")  # now, not when one is stopped
        self.running: set[subprocess.Popen] = set()
        self.stopped = threading.Event()

    def start(
        self,
        command: list[str],
        cwd: str,
        environment: Mapping[str, str],
        log: IO,
        lock: IO,
    ) -> Any:
        """Starts a process.

        Arguments
        ---------
        command : list of str
            Command line.
        cwd : str
            Folder to run it in.
        environment : dict of str to str
            Environment variables in addition to those of this process.
        log : file
            Where its output goes.
        lock : file
            Lock that it inherits.

        Returns
        -------
        subprocess.Popen, or what has its methods
        """
        return subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock.fileno()],
        )

    def close(self) -> None:
        """Lets go of what starts processes; those that run go on."""

    def wait(
        self, process: subprocess.Popen, timeout: float | None = None
    ) -> int | None:
        """Waits for a process to end.

        Arguments
        ---------
        process : subprocess.Popen
            The process.
        timeout : float, optional
            Seconds after which it is ended, with all that it has started.

        Returns
        -------
        int or None
            Exit code; None if the time was over.
        """
        self.running.add(process)
        if self.stopped.is_set():
            process.terminate()
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            end([process])
            return None
        except BaseException:  # this thread is asked to stop, so the run is
            self.stop()
            process.wait()
            raise
        finally:
            self.running.discard(process)

    def stop(self) -> None:
        """Ends all processes, and those that are still to come."""
        self.stopped.set()
        end(list(self.running))


def end(processes: Iterable[subprocess.Popen]) -> None:
    """Asks processes to end, and kills what has not ended after a while.

    Killed with a process is what it has started, such as the workers that
    load its data: one that hangs would hold the lock of the run.

    Arguments
    ---------
    processes : iterable of subprocess.Popen
        The processes.
    """
    psutil = require("psutil", "experiments", "run")
    living = [process for process in processes if process.poll() is None]
    started = []
    for process in living:
        with contextlib.suppress(psutil.NoSuchProcess):
            started += psutil.Process(process.pid).children(recursive=True)
        process.terminate()
    limit = time.monotonic() + GRACE
    for process in living:
        try:
            process.wait(max(0, limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    psutil.wait_procs(started, timeout=max(0, limit - time.monotonic()))
    for child in started:
        # One whose number another process has by now is left alone.
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
