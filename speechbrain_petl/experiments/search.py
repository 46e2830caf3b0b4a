"""Hyperparameter search on the validation split, by Optuna.

The test accuracy that a run also computes is not looked at.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path

from speechbrain_petl.experiments.cells import cell_hash, data_fingerprint
from speechbrain_petl.experiments.job import (
    FINISHED,
    Job,
    command_line,
    run_job,
)
from speechbrain_petl.experiments.plan import (
    Cell,
    Variant,
    known_options,
    require,
)


def read_space(texts: list[str]) -> dict[str, tuple]:
    """Reads what is searched: ``KEY=log:LOW:HIGH``, ``KEY=LOW:HIGH``, ``KEY=A,B``.

    Arguments
    ---------
    texts : list of str
        As on the command line.

    Returns
    -------
    dict of str to tuple
        By key: ``("log", low, high)``, ``("linear", low, high)`` or
        ``("choice", values)``.

    Raises
    ------
    ValueError
        If a text is none of them.

    Example
    -------
    >>> read_space(["lr=log:1e-4:1e-1", "reduction_rate=32,64"])
    {'lr': ('log', 0.0001, 0.1), 'reduction_rate': ('choice', [32, 64])}
    """
    space = {}
    for text in texts:
        key, _, value = text.partition("=")
        parts = value.split(":")
        try:
            if len(parts) == 1 and "," in value:
                space[key] = (
                    "choice",
                    [json.loads(x) for x in value.split(",")],
                )
                continue
            scale = parts.pop(0) if parts[0] == "log" else "linear"
            low, high = map(float, parts)
        except ValueError:
            low, high, scale = 0.0, 0.0, "linear"
        if not (
            math.isfinite(high) and low < high and (scale != "log" or low > 0)
        ):
            raise ValueError(
                f"--space is KEY=LOW:HIGH, KEY=log:LOW:HIGH or KEY=A,B, with "
                f"LOW below HIGH, not '{text}'."
            )
        space[key] = (scale, low, high)
    return space


def suggest(trial, space: Mapping[str, tuple]) -> dict:
    """Asks a trial for a point of the space."""
    point = {}
    for key, (kind, *rest) in space.items():
        if kind == "choice":
            point[key] = trial.suggest_categorical(key, rest[0])
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
        If Optuna is not installed, a key is unknown or no trial finished.
    """
    try:
        import optuna
    except ImportError:
        raise ValueError(
            "search needs optuna: pip install 'speechbrain-petl[search]'."
        )
    yaml = yaml.resolve()
    recipe = yaml.parents[1]
    options = known_options(yaml)
    require([*space, *overrides], options, f"option of {yaml.name}", "search")
    output = output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name=yaml.stem,
        storage=f"sqlite:///{output / 'trials.db'}",
        direction="maximize",
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(seed=seed),
    )
    data = str(Path(data_folder).resolve())
    fingerprint = data_fingerprint(data)

    def run(trial):
        """Trains once; gives the validation accuracy."""
        cell = Cell(
            recipe.name,
            Variant(yaml.stem, yaml.stem),
            seed,
            fold,
            overrides={**overrides, **suggest(trial, space)},
        )
        folder = output / f"trial_{trial.number}"
        job = Job(
            folder.name,
            str(folder),
            cell_hash(cell, recipe.parent, fingerprint),
            command_line(cell, data, folder),
            str(recipe),
        )
        outcome, _ = run_job(job, {"OMP_WAIT_POLICY": "PASSIVE"})
        if outcome != FINISHED:
            raise optuna.TrialPruned(f"{folder}: {outcome}")
        results = json.loads((folder / "results.json").read_text("utf-8"))
        if results["valid_accuracy"] is None:
            raise ValueError(
                f"{yaml.name} ran without a validation split, which a search "
                "selects on: choose a protocol that has one."
            )
        return results["valid_accuracy"]

    # A trial that was killed in the middle is run anew.
    for trial in study.get_trials(states=[optuna.trial.TrialState.RUNNING]):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        study.enqueue_trial(trial.params, skip_if_exists=False)
    ended = len(
        study.get_trials(
            states=[
                optuna.trial.TrialState.COMPLETE,
                optuna.trial.TrialState.PRUNED,
            ]
        )
    )
    study.optimize(run, n_trials=max(0, trials - ended))
    try:
        return study.best_params, study.best_value
    except ValueError:
        raise ValueError(f"No trial of {output} finished: see its folders.")
