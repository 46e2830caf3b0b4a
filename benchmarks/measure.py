"""Contenders side by side: each in a process of its own, run in turns.

A ratio means something only between things measured at the same time on the
same machine. So all contenders of a group are loaded, warmed up, and then run
one after the other, round after round, each round beginning with another; a
contender's ratio is the median over the rounds of its ratio to the group's
first in that round.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass
class Contender:
    """What is measured.

    Arguments
    ---------
    name : str
        What it is called in the tables.
    make : str
        ``module:function``; called with the options it gives a callable, one
        run of which is timed, and facts: ``clips``, how many one run takes,
        and what else the row should tell.
    options : dict
        The function's options, in JSON's types.
    python : str
        The interpreter.
    size : float, optional
        Of what grows, where it does.
    """

    name: str
    make: str
    options: dict = field(default_factory=dict)
    python: str = sys.executable
    size: float | None = None


def environment() -> dict[str, str]:
    """Returns the environment, without the policy of waiting threads."""
    kept = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    return {**kept, "HF_HUB_OFFLINE": "1"}


class Worker:
    """The process of a contender, see ``worker``."""

    def __init__(self, contender: Contender, threads: int, clock: str):
        self.name = contender.name
        self.errors = tempfile.TemporaryFile()
        options = {"threads": threads, "clock": clock, **contender.options}
        self.process = subprocess.Popen(
            [
                contender.python,
                "-m",
                "benchmarks.worker",
                contender.make,
                json.dumps(options),
            ],
            cwd=ROOT,
            env={
                **environment(),
                "PYTHONPATH": str(ROOT),
                "OMP_NUM_THREADS": str(threads),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def reply(self) -> dict:
        """Returns the next line of the process."""
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            tail = self.errors.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"'{self.name}' could not be run:\n{tail}")
        return json.loads(line)

    def run(self) -> dict:
        """Runs once; returns the seconds, and facts if the run gave any."""
        print("run", file=self.process.stdin, flush=True)
        return self.reply()

    def stop(self) -> int:
        """Ends the process; returns its peak memory in bytes."""
        self.process.stdin.close()
        peak = self.reply()["peak_bytes"]
        self.process.wait()
        return peak

    def close(self) -> None:
        """Kills the process if it still runs."""
        self.process.kill()
        self.process.wait()
        self.errors.close()


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Returns lower quartile, median and upper quartile; of one, itself.

    Example
    -------
    >>> quartiles([1.0, 2.0, 3.0, 4.0, 5.0])
    (2.0, 3.0, 4.0)
    """
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def compare(
    group: str,
    contenders: list[Contender],
    rounds: int,
    threads: int,
    clock: str = "wall",
) -> list[dict]:
    """Measures a group.

    Arguments
    ---------
    group : str
        Its name in the tables.
    contenders : list of Contender
        The first is what the others are compared with.
    rounds : int
        How often each runs.
    threads : int
        Threads of each; only one runs at a time.
    clock : str
        ``wall``, or ``processor``: the processor time of the contender and
        of the processes that it starts, which others on the machine hardly
        change.

    Returns
    -------
    list of dict
        A row for each contender.
    """
    workers = [Worker(one, threads, clock) for one in contenders]
    try:
        facts = [worker.reply() for worker in workers]
        times = [[] for _ in workers]
        for turn in range(rounds):
            for i in range(len(workers)):
                which = (turn + i) % len(workers)
                told = workers[which].run()
                times[which].append(told.pop("seconds"))
                facts[which].update(told)
        peaks = [worker.stop() for worker in workers]
    finally:
        for worker in workers:
            worker.close()
    clips = [told.pop("clips") for told in facts]
    rates = [
        [n / s for s in some] for n, some in zip(clips, times, strict=True)
    ]
    rows = []
    for i, contender in enumerate(contenders):
        low, middle, high = quartiles(times[i])
        ratios = [a / b for a, b in zip(rates[i], rates[0], strict=True)]
        ratio_low, ratio, ratio_high = quartiles(ratios)
        row = {
            "group": group,
            "contender": contender.name,
            "rounds": rounds,
            "seconds": middle,
            "seconds_q1": low,
            "seconds_q3": high,
            "clips_per_s": clips[i] / middle,
            "speed_ratio": ratio,
            "speed_ratio_q1": ratio_low,
            "speed_ratio_q3": ratio_high,
            "peak_mb": peaks[i] / 1e6,
        }
        operations = facts[i].pop("operations", None)
        if operations:
            row["gflop"] = operations / 1e9
            row["gflop_per_s"] = operations / 1e9 / middle
        if contender.size is not None:
            row["size"] = contender.size
        if "precision" in contender.options:
            row["precision"] = contender.options["precision"]
        rows.append(row | facts[i])
    return rows
