"""Hyperparameter search on the validation split, by Optuna.

The test accuracy that a run also computes is not looked at.
"""

import json
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from speechbrain_petl.experiments.planning.checks import known_options, require
from speechbrain_petl.experiments.planning.overrides import pairs
from speechbrain_petl.experiments.planning.plan import Cell, Variant
from speechbrain_petl.experiments.running.job import (
    BUSY,
    Job,
    command_line,
    lock_of,
    run_job,
)
from speechbrain_petl.experiments.running.launchers import PASSIVE
from speechbrain_petl.experiments.running.run import PAUSE
from speechbrain_petl.experiments.running.state import (
    FINISHED,
    INTERRUPTED,
    cell_hash,
    data_fingerprint,
)


def read_space(texts: list[str]) -> dict[str, tuple]:
    """Reads what is searched.

    Arguments
    ---------
    texts : list of str
        As on the command line: ``KEY=LOW:HIGH``, ``KEY=log:LOW:HIGH``,
        ``KEY=int:LOW:HIGH`` or ``KEY=A,B,...``.

    Returns
    -------
    dict of str to tuple
        By key: ``(scale, low, high)``, the scale being ``linear``, ``log`` or
        ``int``, or ``("choice", values)``.

    Raises
    ------
    ValueError
        If a text is none of them.

    Example
    -------
    >>> read_space(["lr=log:1e-4:1e-1", "n_prompts=int:5:50"])
    {'lr': ('log', 0.0001, 0.1), 'n_prompts': ('int', 5, 50)}
    >>> read_space(["reduction_rate=32,64", "pooling=mean,cls"])["pooling"]
    ('choice', ['mean', 'cls'])
    """
    found = pairs(texts, "--space", str)
    return {key: _range(text) for key, text in found.items()}


def _range(text):
    """What is searched for one key."""
    if ":" not in text and "," in text:
        return "choice", [_value(choice) for choice in text.split(",")]
    scale, *ends = text.split(":")
    if scale not in ("log", "int"):
        scale, ends = "linear", [scale, *ends]
    kinds = int if scale == "int" else (int, float)
    ends = [_value(end) for end in ends]
    if (
        len(ends) != 2
        or not all(isinstance(end, kinds) for end in ends)
        or not ends[0] < ends[1] < math.inf
        or (scale == "log" and ends[0] <= 0)
    ):
        raise ValueError(
            "--space is KEY=LOW:HIGH, KEY=log:LOW:HIGH, KEY=int:LOW:HIGH or "
            f"KEY=A,B, with LOW below HIGH, not '{text}'."
        )
    return scale, *ends


def _value(text):
    """A number if it is one, or else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def suggest(trial, space: Mapping[str, tuple]) -> dict:
    """Asks a trial for a point of the space."""
    point = {}
    for key, (kind, *rest) in space.items():
        if kind == "choice":
            point[key] = trial.suggest_categorical(key, rest[0])
        elif kind == "int":
            point[key] = trial.suggest_int(key, *rest)
        else:
            point[key] = trial.suggest_float(key, *rest, log=kind == "log")
    return point


def search(
    yaml: Path,
    data_folder: str,
    space: Mapping[str, tuple],
    output: Path,
    trials: int,
    overrides: Mapping,
    seed: int = 1234,
    fold: int | None = None,
) -> tuple[dict, float]:
    """Searches, or goes on with a search.

    Arguments
    ---------
    yaml : Path
        A YAML in ``recipes/<Corpus>/hparams``.
    data_folder : str
        The corpus.
    space : dict of str to tuple
        As from ``read_space``.
    output : Path
        Where trials and their record (SQLite) are kept.
    trials : int
        How many there should be in all.
    overrides : dict
        Of all runs.
    seed : int
        Of the runs and of the search.
    fold : int, optional
        The test fold, whose neighbour validates.

    Returns
    -------
    best : dict
        The overrides of the best trial.
    accuracy : float
        Its validation accuracy.

    Raises
    ------
    ValueError
        If Optuna is not installed, a key is unknown, the folder holds a search
        of other settings or one that is running, or no trial finished.
    """
    try:
        import optuna
    except ImportError:
        raise ValueError(
            "search needs optuna: pip install 'speechbrain-petl[search]'."
        )
    State = optuna.trial.TrialState
    yaml = yaml.resolve()
    if not yaml.is_file():
        raise ValueError(f"There is no YAML file {yaml}.")
    options = known_options(yaml)
    require([*space, *overrides], options, f"option of {yaml.name}", "search")
    both = sorted(set(space) & set(overrides))
    if both:
        raise ValueError(f"--space and --set both have {both[0]}: give one.")
    base = Cell(
        yaml.parents[1].name,
        Variant(yaml.stem, yaml.stem),
        seed,
        fold,
        overrides=overrides,
    )
    trainer = Trainer(yaml, data_folder, output.resolve())
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
        _check_settings(study, trainer.job(base, "").hash, output)
        # A sampler begins with its seed, so one that goes on needs another.
        study.sampler = optuna.samplers.TPESampler(
            seed=seed + len(study.trials)
        )
        _take_up(study)

        def ended(*others):
            """Trials that have a result, or are of one of the other states."""
            return study.get_trials(states=[State.COMPLETE, *others])

        def run(trial):
            """Trains once; gives the validation accuracy."""
            point = suggest(trial, space)
            for other in ended():
                if other.params == point:  # it would come out the same
                    return other.value
            name = _folder(trial)
            cell = replace(base, overrides={**overrides, **point})
            found = trainer.train(cell, name)
            if found is None:
                raise optuna.TrialPruned(f"{output / name} failed")
            return found

        study.optimize(run, n_trials=max(0, trials - len(ended(State.PRUNED))))
        if not ended():
            raise ValueError(f"No trial of {output} finished: see its folders.")
        return study.best_params, study.best_value


class Trainer(NamedTuple):
    """Trains a recipe with different options.

    Arguments
    ---------
    yaml : Path
        The recipe's.
    data_folder : str
        The corpus.
    output : Path
        Where each run has a folder.
    """

    yaml: Path
    data_folder: str
    output: Path

    def job(self, cell: Cell, name: str) -> Job:
        """A run of the recipe."""
        recipe, folder = self.yaml.parents[1], self.output / name
        data = str(Path(self.data_folder).resolve())
        return Job(
            name,
            str(folder),
            cell_hash(cell, recipe.parent, data_fingerprint(data)),
            command_line(cell, data, folder),
            str(recipe),
        )

    def train(self, cell: Cell, name: str) -> float | None:
        """Trains; gives the validation accuracy, or None if that failed.

        Arguments
        ---------
        cell : Cell
            The run.
        name : str
            Its folder.

        Returns
        -------
        float or None
        """
        job = self.job(cell, name)
        outcome, _ = run_job(job, PASSIVE)
        while outcome == BUSY:  # what a killed search left behind
            time.sleep(PAUSE)
            outcome, _ = run_job(job, PASSIVE)
        if outcome == INTERRUPTED:
            raise KeyboardInterrupt
        if outcome != FINISHED:
            return None
        file = Path(job.folder) / "results.json"
        accuracy = json.loads(file.read_text("utf-8"))["valid_accuracy"]
        if accuracy is None:
            raise ValueError(
                f"{self.yaml.name} ran without a validation split, which a "
                "search selects on: choose a protocol that has one."
            )
        return accuracy


def _check_settings(study, settings, output):
    """Refuses to go on with trials that cannot be compared with new ones."""
    if study.user_attrs.setdefault("settings", settings) != settings:
        raise ValueError(
            f"{output} holds a search with another YAML, data, seed, fold or "
            "overrides: give another --output."
        )
    study.set_user_attr("settings", settings)


def _folder(trial):
    """The name of a trial's folder, which that of another may have been."""
    return trial.user_attrs.get("folder", f"trial_{trial.number}")


def _take_up(study):
    """Goes on with trials that were killed or stopped, in their folders."""
    from optuna.trial import TrialState

    last = {_folder(trial): trial for trial in study.trials}
    for name, trial in last.items():
        if trial.state == TrialState.RUNNING:
            study.tell(trial.number, state=TrialState.FAIL)
        if trial.state in (TrialState.RUNNING, TrialState.FAIL):
            study.enqueue_trial(trial.params, user_attrs={"folder": name})
