"""Runs the cells of a plan: side by side, resumable, failures kept apart."""

import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial
from pathlib import Path
from typing import NamedTuple

from speechbrain_petl.demo.corpora import write_small
from speechbrain_petl.experiments.planning.plan import Cell, Plan
from speechbrain_petl.experiments.running.job import (
    BUSY,
    Job,
    command_line,
    why_failed,
)
from speechbrain_petl.experiments.running.locks import is_running
from speechbrain_petl.experiments.running.state import (
    DAMAGED,
    FAILED,
    FINISHED,
    INTERRUPTED,
    OTHER,
    RUNNING,
    cell_hash,
    data_fingerprint,
    other_versions,
    read_results,
    state,
)
from speechbrain_petl.utils.metric import metric_of

Submit = Callable[[Job], Future]
PAUSE = 2.0  # seconds between looks at cells that another process has
NOTES = {
    FAILED: "{why}; {folder}/run.log has more",
    OTHER: "{folder} holds a run of other settings or data: give another "
    "output folder, or --force to do it anew",
    DAMAGED: "{folder}/cell.json is damaged, so that it cannot be told what "
    "the folder holds: restore the file, or --force to do it anew",
    INTERRUPTED: "it was stopped; the same command goes on with it",
}


class Work(NamedTuple):
    """A cell of a plan, its job, the folder of its corpus, and its state."""

    cell: Cell
    job: Job
    data_folder: str
    state: str


def data_folder(plan: Plan, corpus: str, output: Path) -> str:
    """Returns the folder of a corpus; writes a synthetic one if asked for."""
    folder = plan.data_folders.get(corpus)
    if folder is None:
        raise ValueError(
            f"The plan needs {corpus}: give its folder, as --data_folder "
            f"{corpus}=<folder>."
        )
    if folder == "demo":
        folder = output / "corpora" / corpus
        try:
            if not folder.is_dir():
                write_small(plan.recipes[corpus].miniature, folder)
        except OSError:
            if not folder.is_dir():  # no other runner was quicker
                raise
    return str(Path(folder).resolve())


def survey(
    plan: Plan, recipes: Path, output: Path, n_processes: int = 1
) -> list[Work]:
    """Finds the state of each cell of a plan.

    Arguments
    ---------
    plan : Plan
        The plan.
    recipes : Path
        The folder with the recipes.
    output : Path
        Folder of the results.
    n_processes : int
        Processes of one run.

    Returns
    -------
    list of Work
    """
    output = output.resolve()
    data = {c: data_folder(plan, c, output) for c in plan.corpora}
    found = []
    for cell in plan.cells():
        folder = output / cell.name
        corpus = data[cell.corpus]
        wanted = cell_hash(cell, recipes, data_fingerprint(corpus))
        command = command_line(cell, corpus, folder, n_processes)
        recipe = str(recipes / cell.corpus)
        job = Job(cell.name, str(folder), wanted, command, recipe)
        now = RUNNING if is_running(folder) else state(folder, wanted)
        found.append(Work(cell, job, corpus, now))
    return found


def run(
    work: list[Work],
    submit: Submit,
    jobs: int,
    say: Callable[[str], None] = partial(print, flush=True),
) -> Counter:
    """Runs what is not finished.

    Arguments
    ---------
    work : list of Work
        As from ``survey``.
    submit : callable
        Starts a job; returns a future of the result of ``run_job``.
    jobs : int
        Number of jobs at once.
    say : callable
        Receives a message for each cell that ends.

    Returns
    -------
    Counter
        Number of cells by outcome.
    """
    waiting = deque(w.job for w in work if w.state != FINISHED)
    outcomes = Counter({FINISHED: len(work) - len(waiting)})
    total, start, ran = len(work), time.monotonic(), 0
    running: dict[Future, Job] = {}
    elsewhere: list[Job] = []  # other processes have these
    say(f"{outcomes[FINISHED]} of {total} cells are finished already")
    _tell_of_versions([w for w in work if w.state == FINISHED], say)
    while waiting or running or elsewhere:
        while waiting and len(running) < jobs:
            job = waiting.popleft()
            if is_running(job.folder):
                elsewhere.append(job)
            else:
                running[submit(job)] = job
        if running:
            pause = PAUSE if elsewhere else None
            ended, _ = wait(running, pause, return_when=FIRST_COMPLETED)
        else:
            time.sleep(PAUSE)
            ended = set()
        for future in ended:
            job = running.pop(future)
            outcome, seconds = future.result()
            if outcome == BUSY:
                elsewhere.append(job)
                continue
            outcomes[outcome] += 1
            ran += seconds > 0
            left = total - sum(outcomes.values())
            rate = (time.monotonic() - start) / max(1, ran)
            say(
                f"[{total - left}/{total}] {outcome:8} {job.name} "
                f"{_score(job) if outcome == FINISHED else ''}"
                f"{seconds:.0f} s; {left} left, about {clock(left * rate)}"
            )
            if outcome in NOTES:
                note = NOTES[outcome]
                why = why_failed(job.folder) if outcome == FAILED else ""
                say(f"    {note.format(folder=job.folder, why=why)}")
        if not ended:  # a while has gone by: are they still running?
            waiting.extend(elsewhere)
            elsewhere.clear()
    return outcomes


def _tell_of_versions(finished, say):
    """Prints which cells were made by other versions of packages."""
    found = [other_versions(Path(w.job.folder)) for w in finished]
    for text, times in Counter(filter(None, found)).items():
        say(f"    {times} of them ran with other versions: {text}")


def _score(job):
    """Returns what a finished cell is reported by, as text."""
    found = read_results(Path(job.folder))
    if found is None:
        return ""
    metric = metric_of(found)
    name = "" if metric.in_percent else f"{metric.name} "
    return f"{name}{metric.text(found[metric.name])}, "


def clock(seconds: float) -> str:
    """Formats a duration as hours, minutes and seconds.

    Example
    -------
    >>> clock(59), clock(3700)
    ('0:00:59', '1:01:40')
    """
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
