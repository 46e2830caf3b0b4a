"""One run of the recipe for a candidate, which never sees the test split."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from speechbrain_petl.adapt.candidates import Candidate
from speechbrain_petl.adapt.recipe import NAME, Recipe
from speechbrain_petl.adapt.request import Request
from speechbrain_petl.adapt.sounds import CACHE_GB, Sounds
from speechbrain_petl.experiments.planning.plan import Cell, Variant
from speechbrain_petl.experiments.running.job import Job, command_line, run_job
from speechbrain_petl.experiments.running.launchers import PASSIVE
from speechbrain_petl.experiments.running.state import INTERRUPTED, cell_hash
from speechbrain_petl.utils.files import read_json

Runner = Callable[[Job, float], tuple[str, float]]
BATCH, STEPS = 32, 8  # at most so many clips, at least so many updates


class Result(NamedTuple):
    """What a run found on the validation split.

    Arguments
    ---------
    folder : str
        Folder of the artefact.
    score, loss : float
        Of the best epoch, on the validation split; the score is the task's.
    """

    folder: str
    score: float
    loss: float


def run_process(job: Job, timeout: float) -> tuple[str, float]:
    """Runs a job in a process of its own; the default ``Runner``."""
    return run_job(job, PASSIVE, timeout=timeout)


def shared_options(request: Request, sounds: Sounds) -> dict[str, Any]:
    """Returns the overrides of all runs: same data, no test split.

    Each run tests its best epoch on the validation split once more.
    """
    batch = max(2, min(BATCH, len(sounds.entries["train"]) // STEPS))
    return {
        "source": absolute(request.backbone),
        "manifest_folder": sounds.manifests,
        "test_manifest": sounds.manifest("valid"),
        "skip_prep": True,
        "max_length": sounds.max_length,
        "batch_size": batch,
        "num_workers": 0,
        "cache_gb": CACHE_GB,
        **sounds.task.overrides,
    }


def absolute(source: str) -> str:
    """Returns a local folder's full path, since a run has another one."""
    return str(Path(source).absolute()) if Path(source).is_dir() else source


def train(
    candidate: Candidate,
    epochs: int,
    folder: Path,
    timeout: float,
    request: Request,
    recipe: Recipe,
    sounds: Sounds,
    identity: str,
    runner: Runner = run_process,
) -> tuple[str, float]:
    """Trains a candidate by the recipe, unless that is done already.

    Arguments
    ---------
    candidate : Candidate
        Method and overrides.
    epochs : int
        Number of epochs.
    folder : Path
        Output folder.
    timeout : float
        Seconds after which it is given up.
    request, recipe, sounds
        What is asked, with what, and on what.
    identity : str
        What tells the data from others.
    runner : callable
        Runs the job.

    Returns
    -------
    outcome : str
        As from ``run_job``.
    seconds : float
        How long it took.

    Raises
    ------
    KeyboardInterrupt
        If the run was asked to stop.
    """
    options = {
        **shared_options(request, sounds),
        **candidate.overrides,
        "number_of_epochs": epochs,
        "device": request.device,
    }
    variant = Variant(candidate.name, recipe.name(candidate.method))
    cell = Cell(NAME, variant, request.seed, overrides=options)
    job = Job(
        candidate.name,
        str(folder),
        cell_hash(cell, recipe.folder.parent, identity),
        command_line(cell, sounds.data_folder, folder),
        str(recipe.folder),
    )
    outcome, seconds = runner(job, timeout)
    if outcome == INTERRUPTED:
        raise KeyboardInterrupt
    return outcome, seconds


def result_of(folder: Path, metric: str = "accuracy") -> Result:
    """Reads what a finished run found on the validation split."""
    found = read_json(folder / "results.json")
    return Result(
        str(folder / "artefact"),
        found[f"valid_{metric}"],
        found["valid_loss"],
    )
