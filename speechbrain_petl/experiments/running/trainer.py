"""Trains a recipe with different options, for a search."""

import time
from pathlib import Path
from typing import NamedTuple

from speechbrain_petl.experiments.planning.plan import Cell
from speechbrain_petl.experiments.planning.recipes import recipe_of
from speechbrain_petl.experiments.running.job import (
    BUSY,
    Job,
    command_line,
    run_job,
)
from speechbrain_petl.experiments.running.launchers import PASSIVE
from speechbrain_petl.experiments.running.processes import Processes
from speechbrain_petl.experiments.running.run import PAUSE
from speechbrain_petl.experiments.running.state import (
    FINISHED,
    INTERRUPTED,
    cell_hash,
    data_fingerprint,
)
from speechbrain_petl.utils.files import read_json
from speechbrain_petl.utils.metric import Metric, metric_of


class Trainer(NamedTuple):
    """Trains a recipe with different options.

    Arguments
    ---------
    yaml : Path
        YAML of the recipe.
    data_folder : str
        Folder of the corpus.
    output : Path
        Folder in which each run has its own.
    processes : Processes, optional
        Starts the runs.
    """

    yaml: Path
    data_folder: str
    output: Path
    processes: Processes | None = None

    def job(self, cell: Cell, name: str) -> Job:
        """Returns the job of a run, whose folder has a name."""
        recipe, folder = recipe_of(self.yaml), self.output / name
        data = str(Path(self.data_folder).resolve())
        return Job(
            name,
            str(folder),
            cell_hash(cell, recipe.parent, data_fingerprint(data)),
            command_line(cell, data, folder),
            str(recipe),
        )

    def train(self, cell: Cell, name: str) -> tuple[Metric, float] | None:
        """Trains, and reads the metric of the validation that selects.

        Arguments
        ---------
        cell : Cell
            The run.
        name : str
            Name of its folder.

        Returns
        -------
        (Metric, float) or None
            The metric and its value; None if the run failed.

        Raises
        ------
        ValueError
            If the run had no validation split.
        """
        job = self.job(cell, name)
        outcome, _ = run_job(job, PASSIVE, processes=self.processes)
        while outcome == BUSY:  # what a killed search left behind
            time.sleep(PAUSE)
            outcome, _ = run_job(job, PASSIVE, processes=self.processes)
        if outcome == INTERRUPTED:
            raise KeyboardInterrupt
        if outcome != FINISHED:
            return None
        results = read_json(Path(job.folder) / "results.json")
        metric = metric_of(results)
        value = results[f"valid_{metric.name}"]
        if value is None:
            raise ValueError(
                f"{self.yaml.name} ran without a validation split, which a "
                "search selects on: choose a protocol that has one."
            )
        return metric, value
