"""Slurm: jobs that it puts back go on, and states without its accounting."""

import getpass
import subprocess
from typing import Any, NamedTuple

from speechbrain_petl.experiments.running.job import Job, run_job
from speechbrain_petl.utils.optional import require

# How often Slurm may end a job for its time limit before the job has failed
MOST_LIMITS = 20
# States of jobs that do not run again, as squeue has them
ENDED = {
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "REVOKED",
    "TIMEOUT",
}


class Submitted(NamedTuple):
    """A cell as it is sent to a machine of the cluster.

    Near its time limit, or when others need the machine, submitit asks it for
    a checkpoint, ends it and puts it back into the queue. The run's checkpoint
    is in its folder, so that the same call goes on with it.

    Arguments
    ---------
    job : Job
        The cell.
    environment : dict of str to str
        Environment variables in addition to those of the process.
    force : bool
        If True, discards what the folder holds of other settings or data.
    timeout : float, optional
        Seconds after which the run is ended, and has failed.
    """

    job: Job
    environment: dict[str, str]
    force: bool
    timeout: float | None

    def __call__(self) -> tuple[str, float]:
        """Runs the cell: see ``run_job``."""
        return run_job(
            self.job, self.environment, self.force, None, self.timeout
        )

    def checkpoint(self) -> Any:
        """Returns what is to run when the job comes back: the same."""
        helpers = require("submitit.helpers", "experiments", "Slurm")
        return helpers.DelayedSubmission(self)


def use_squeue_without_accounting() -> bool:
    """Lets submitit ask ``squeue`` for states where ``sacct`` has none.

    Without accounting, submitit would warn of that each few seconds, and wait
    for ever for a job that was cancelled.

    Returns
    -------
    bool
        True if ``squeue`` is used from now on.
    """
    command = ["sacct", "--noheader", "--allocations", "--starttime=now"]
    try:
        subprocess.run(command, check=True, capture_output=True)
        return False
    except (OSError, subprocess.CalledProcessError):
        slurm = require("submitit.slurm.slurm", "experiments", "Slurm")
        slurm.SlurmJob.watcher = _queue_watcher(slurm.SlurmInfoWatcher)
        return True


def _queue_watcher(base: type) -> Any:
    """Makes submitit's watcher of jobs ask ``squeue``."""

    class QueueWatcher(base):  # type: ignore[misc]
        """States of this user's jobs, as the queue has them."""

        def _make_command(self):
            """Returns the command; None if no job is watched."""
            if not self._registered - self._finished:
                return None
            return [
                "squeue",
                f"--user={getpass.getuser()}",
                "--states=all",
                "--noheader",
                "--format=%i|%T|%N",
            ]

        def read_info(self, string):
            """Returns the state of each watched job, by its number.

            A job that the queue has forgotten has ended; others of the user
            are left out.
            """
            return states(string, self._registered - self._finished)

    return QueueWatcher(delay_s=60)


def states(text: bytes | str, jobs: set[str]) -> dict[str, dict[str, str]]:
    """Reads the states of jobs from what ``squeue`` prints.

    Arguments
    ---------
    text : bytes or str
        Lines of number, state and nodes, separated by ``|``.
    jobs : set of str
        Numbers of the jobs.

    Returns
    -------
    dict of str to dict
        ``State`` and ``NodeList`` by number. States in which a job may still
        run, whatever Slurm calls them, are ``PENDING`` or ``RUNNING``.

    Example
    -------
    >>> states("7|CONFIGURING|node1\\n8|CANCELLED|\\n9|RUNNING|n", {"7", "8"})
    {'7': {'State': 'RUNNING', 'NodeList': 'node1'}, \
'8': {'State': 'CANCELLED', 'NodeList': ''}}
    >>> states("", {"6"})
    {'6': {'State': 'FORGOTTEN', 'NodeList': ''}}
    """
    if isinstance(text, bytes):
        text = text.decode()
    found = {
        job: {"State": "FORGOTTEN", "NodeList": ""} for job in sorted(jobs)
    }
    for line in text.splitlines():
        job, state, nodes = line.split("|")
        if job in found:
            if state not in ENDED | {"PENDING"}:
                state = "RUNNING"
            found[job] = {"State": state, "NodeList": nodes}
    return found
