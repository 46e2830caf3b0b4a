"""Runs the cells of a plan: side by side, resumable, failures kept apart."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import NamedTuple

from speechbrain_petl.demo.corpora import write_small
from speechbrain_petl.experiments.cells import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    OTHER,
    cell_hash,
    data_fingerprint,
    state,
    write_json,
)
from speechbrain_petl.experiments.job import BUSY, Job, command_line
from speechbrain_petl.experiments.plan import Cell, Plan

Submit = Callable[[Job], Future]
PAUSE = 2.0  # seconds between looks at cells that another process has


class Work(NamedTuple):
    """A cell of a plan, its job and where it stands."""

    cell: Cell
    job: Job
    state: str


def data_folder(plan: Plan, corpus: str, output: Path) -> str:
    """The data of a corpus; a synthetic one is written if it is asked for."""
    folder = plan.data_folders.get(corpus)
    if folder is None:
        raise ValueError(
            f"The plan needs {corpus}: give its folder, as --data_folder "
            f"{corpus}=<folder>."
        )
    if folder == "demo":
        folder = output / "corpora" / corpus
        if not folder.is_dir():
            write_small(corpus, folder)
    return str(Path(folder).resolve())


def survey(
    plan: Plan, recipes: Path, output: Path, n_processes: int = 1
) -> list[Work]:
    """Looks where each cell of a plan stands.

    Arguments
    ---------
    plan : Plan
        The plan.
    recipes : Path
        The folder with the recipes.
    output : Path
        Where the plan's results are.
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
        found.append(Work(cell, job, state(folder, wanted)))
    return found


def run(
    work: list[Work],
    submit: Submit,
    jobs: int,
    say: Callable[[str], None] = print,
) -> Counter:
    """Runs what is not finished.

    Arguments
    ---------
    work : list of Work
        As from ``survey``.
    submit : callable
        Starts a job and gives its future, of what ``run_job`` returns.
    jobs : int
        How many at once.
    say : callable
        Is told of each cell that ends.

    Returns
    -------
    Counter
        How many cells ended in which way.
    """
    waiting = [w.job for w in work if w.state != FINISHED]
    outcomes = Counter({FINISHED: len(work) - len(waiting)})
    total, start, ran, running = len(work), time.monotonic(), 0, {}
    say(f"{outcomes[FINISHED]} of {total} cells are finished already")
    while waiting or running:
        while waiting and len(running) < jobs:
            job = waiting.pop(0)
            running[submit(job)] = job
        ended, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in ended:
            job = running.pop(future)
            outcome, seconds = future.result()
            if outcome == BUSY:
                waiting.append(job)
                if not running:
                    time.sleep(PAUSE)
                continue
            outcomes[outcome] += 1
            ran += seconds > 0
            left = total - sum(outcomes.values())
            rate = (time.monotonic() - start) / max(1, ran)
            say(
                f"[{total - left}/{total}] {outcome:8} {job.name} "
                f"{seconds:.0f} s; {left} left, about {clock(left * rate)}"
            )
            if outcome == FAILED:
                say(f"    see {job.folder}/failed.json")
            if outcome == OTHER:
                say(
                    f"    {job.folder} holds a run of other settings or data: "
                    "give another output folder, or --force to do it anew"
                )
            if outcome == INTERRUPTED:
                say("    it was stopped; the same command goes on with it")
    return outcomes


def clock(seconds: float) -> str:
    """A duration for people.

    Example
    -------
    >>> clock(59), clock(3700)
    ('0:00:59', '1:01:40')
    """
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def keep_plan(plan: Plan, source: str, output: Path) -> None:
    """Writes what was asked for beside the results, for table and report."""
    write_json(
        output / "plan.json",
        {
            "source": source,
            "title": plan.title,
            "paper": plan.paper,
            "corpora": plan.corpora,
            "variants": [v.label for v in plan.variants],
            "cells": [
                {
                    "name": cell.name,
                    "corpus": cell.corpus,
                    "variant": cell.variant.label,
                    "yaml": cell.variant.yaml,
                    "seed": cell.seed,
                    "fold": cell.fold,
                    "shots": cell.shots,
                    "draw": cell.draw,
                    "overrides": dict(cell.overrides),
                }
                for cell in plan.cells()
            ],
            "data_folders": {
                corpus: data_folder(plan, corpus, output)
                for corpus in plan.corpora
            },
        },
    )
