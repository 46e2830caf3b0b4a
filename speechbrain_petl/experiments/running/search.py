"""Hyperparameter search on the validation split, by Optuna.

The study's values are those of the metric that selects the epoch, negated where
less is better: which metric it is, the first run tells.

The test that a run also computes is not looked at.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from speechbrain_petl.experiments.planning.checks import (
    known_options,
    require as require_names,
)
from speechbrain_petl.experiments.planning.plan import Cell, Variant
from speechbrain_petl.experiments.planning.recipes import recipe_of
from speechbrain_petl.experiments.running.launchers import PASSIVE
from speechbrain_petl.experiments.running.locks import lock_of
from speechbrain_petl.experiments.running.space import (
    keys_of,
    overrides_of,
    suggest,
)
from speechbrain_petl.experiments.running.trainer import Trainer
from speechbrain_petl.experiments.running.warm import Warm
from speechbrain_petl.utils.metric import Metric
from speechbrain_petl.utils.optional import require


def search(
    yaml: Path,
    data_folder: str,
    space: Mapping[str, tuple],
    output: Path,
    trials: int,
    overrides: Mapping,
    seed: int = 1234,
    fold: int | None = None,
    seconds: float | None = None,
) -> "Found":
    """Starts a search, or continues one.

    Arguments
    ---------
    yaml : Path
        YAML in ``recipes/<Corpus>/hparams``.
    data_folder : str
        Folder of the corpus.
    space : dict of str to tuple
        As from ``read_space``.
    output : Path
        Folder of the trials and their record (SQLite).
    trials : int
        Total number of trials.
    overrides : dict
        Overrides of all runs.
    seed : int
        Seed of the runs and of the search.
    fold : int, optional
        The test fold, whose neighbor validates.
    seconds : float, optional
        No trial begins once all together have taken so long; the first
        always does.

    Returns
    -------
    Found

    Raises
    ------
    ValueError
        If Optuna is not installed, a key is unknown, the folder holds a search
        of other settings or one that is running, or no trial finished.
    """
    optuna = require("optuna", "experiments", "search")
    yaml = yaml.resolve()
    check_keys(yaml, space, overrides)
    recipe = recipe_of(yaml)
    name = yaml.relative_to(recipe / "hparams").with_suffix("").as_posix()
    variant = Variant(yaml.stem, name)
    base = Cell(recipe.name, variant, seed, fold, overrides=overrides)
    processes = Warm(PASSIVE)
    trainer = Trainer(yaml, data_folder, output.resolve(), processes)
    output.mkdir(parents=True, exist_ok=True)
    with lock_of(output) as lock:
        if lock is None:
            raise ValueError(f"Another search is running in {output}.")
        study = optuna.create_study(
            study_name=yaml.stem,
            storage=f"sqlite:///{output.resolve() / 'trials.db'}",
            direction="maximize",
            load_if_exists=True,
        )
        check_settings(study, trainer.job(base, "").hash, output)
        # A sampler begins with its seed, so one that goes on needs another.
        study.sampler = optuna.samplers.TPESampler(
            seed=seed + len(study.trials)
        )
        take_up(study)
        pruned = optuna.trial.TrialState.PRUNED
        left = math.inf if seconds is None else seconds - spent(study)
        try:
            study.optimize(
                Objective(study, trainer, base, space),
                n_trials=max(0, trials - len(ended(study, pruned)))
                if left > 0 or not ended(study)
                else 0,
                timeout=None if seconds is None else max(0.0, left),
            )
        finally:
            processes.close()
        if not ended(study):
            raise ValueError(f"No trial of {output} finished: see its folders.")
        metric = metric_of_study(study)
        value = 0.0 + metric.sign * study.best_value  # no -0.0
        return Found(
            overrides_of(study.best_params, space),
            metric,
            value,
            len(ended(study)),
            spent(study),
        )


class Found(NamedTuple):
    """What a search found, and what it cost.

    Arguments
    ---------
    overrides : dict
        Overrides of the best trial.
    metric : Metric
        What selected it.
    value : float
        The metric of the best trial, of the validation.
    trials : int
        Number of trials that have a result.
    seconds : float
        What all trials took together.
    """

    overrides: dict
    metric: Metric
    value: float
    trials: int
    seconds: float


def spent(study: Any) -> float:
    """Returns the seconds that the trials of a study took together."""
    times = [trial.duration for trial in study.trials if trial.duration]
    return sum(time.total_seconds() for time in times)


def check_keys(yaml: Path, space: Mapping, overrides: Mapping) -> None:
    """Refuses keys that the YAML does not have, or that are given twice.

    Arguments
    ---------
    yaml : Path
        The YAML of the recipe.
    space : dict
        What to search, by key.
    overrides : dict
        Overrides of all runs, by key.

    Raises
    ------
    ValueError
        Naming the key; or if there is no such YAML.
    """
    if not yaml.is_file():
        raise ValueError(f"There is no YAML file {yaml}.")
    what = f"option of {yaml.name}"
    keys = keys_of(space)
    require_names([*keys, *overrides], known_options(yaml), what, "search")
    both = sorted(set(keys) & set(overrides))
    if both:
        raise ValueError(f"--space and --set both have {both[0]}: give one.")


class Objective:
    """The objective of the search: what the validation of a trial says.

    Arguments
    ---------
    study : optuna.Study
        The study, whose earlier trials are not repeated.
    trainer : Trainer
        Trains the recipe.
    base : Cell
        The run without what is searched.
    space : dict of str to tuple
        As from ``read_space``.
    """

    def __init__(
        self, study: Any, trainer: Trainer, base: Cell, space: Mapping
    ):
        self.study, self.trainer = study, trainer
        self.base, self.space = base, space

    def __call__(self, trial: Any) -> float:
        """Trains once; returns the metric, negated where less is better."""
        point = suggest(trial, self.space)
        for other in ended(self.study):
            if other.params == point:  # it would come out the same
                return other.value
        name = folder_of(trial)
        overrides = overrides_of(point, self.space)
        whole = {**self.base.overrides, **overrides}
        cell = replace(self.base, overrides=whole)
        found = self.trainer.train(cell, name)
        if found is None:
            optuna = require("optuna", "experiments", "search")
            raise optuna.TrialPruned(f"{self.trainer.output / name} failed")
        metric, value = found
        check_metric(self.study, metric, self.trainer.output)
        return metric.sign * value


def ended(study: Any, *others: Any) -> list:
    """Returns trials that have a result, or are in one of other states."""
    states = require("optuna.trial", "experiments", "search").TrialState
    return study.get_trials(states=[states.COMPLETE, *others])


def check_settings(study: Any, settings: str, output: Path) -> None:
    """Refuses to continue trials that cannot be compared with new ones.

    Arguments
    ---------
    study : optuna.Study
        The study, which records the settings of its first trial.
    settings : str
        Hash of the settings of this search.
    output : Path
        Folder of the search, for the message.

    Raises
    ------
    ValueError
        If the settings differ.
    """
    if study.user_attrs.setdefault("settings", settings) != settings:
        raise ValueError(
            f"{output} holds a search with another YAML, data, seed, fold or "
            "overrides: give another --output."
        )
    study.set_user_attr("settings", settings)


def metric_of_study(study: Any) -> Metric:
    """Returns what a study's values are; accuracy, if an older one is silent."""
    return Metric(*study.user_attrs.get("metric", Metric()))


def check_metric(study: Any, metric: Metric, output: Path) -> None:
    """Refuses to compare trials that were selected by different metrics.

    Arguments
    ---------
    study : optuna.Study
        The study, which records the metric of its first trial.
    metric : Metric
        That of a new trial.
    output : Path
        Folder of the search, for the message.

    Raises
    ------
    ValueError
        If they differ.
    """
    if not ended(study):
        study.set_user_attr("metric", list(metric))
    elif metric != (known := metric_of_study(study)):
        raise ValueError(
            f"{output} holds a search by {known.name}, and a trial was "
            f"selected by {metric.name}: search by one, in another --output."
        )


def folder_of(trial: Any) -> str:
    """Returns the name of a trial's folder; a repeated trial keeps its own."""
    return trial.user_attrs.get("folder", f"trial_{trial.number}")


def take_up(study: Any) -> None:
    """Queues trials that were killed or stopped anew, in their folders.

    Arguments
    ---------
    study : optuna.Study
        The study.
    """
    TrialState = require("optuna.trial", "experiments", "search").TrialState
    last = {folder_of(trial): trial for trial in study.trials}
    for name, trial in last.items():
        if trial.state == TrialState.RUNNING:
            study.tell(trial.number, state=TrialState.FAIL)
        if trial.state in (TrialState.RUNNING, TrialState.FAIL):
            study.enqueue_trial(trial.params, user_attrs={"folder": name})
