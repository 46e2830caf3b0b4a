"""From a folder of sounds to a tested adapter: all steps of a training."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from speechbrain_petl.adapt import runs
from speechbrain_petl.adapt.candidates import make_candidates
from speechbrain_petl.adapt.embeddings import Outputs, foresee, outputs_of
from speechbrain_petl.adapt.ending import Ending, clips_at_the_end, measure
from speechbrain_petl.adapt.final import Final, finish
from speechbrain_petl.adapt.grow import (
    before_of,
    grow,
    join_labels,
    require_prototypes,
    told_before,
    write_grown,
)
from speechbrain_petl.adapt.linear import LinearModel
from speechbrain_petl.adapt.probe import tune
from speechbrain_petl.adapt.recipe import Recipe
from speechbrain_petl.adapt.record import SEARCH, Record
from speechbrain_petl.adapt.reporting.facts import early_facts
from speechbrain_petl.adapt.request import AUTO, Request
from speechbrain_petl.adapt.rounds import Pace
from speechbrain_petl.adapt.search import Search, best_of
from speechbrain_petl.adapt.sounds import (
    FRAMES,
    RECORD,
    TASKS,
    Sounds,
    prepare,
    read,
)
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.tasks import task_of
from speechbrain_petl.experiments.running.locks import lock_of

IMPORTS = "import speechbrain_petl.training.launch, transformers"
START = 1.5  # what a run takes beside its epochs, in such imports
PROBE, GROWN = "linear", "grown"


def train_folder(
    request: Request,
    say: Callable[[str], None] = print,
    runner: runs.Runner = runs.run_process,
    began: float | None = None,
) -> Final:
    """Trains on a folder of sounds, inside the time, and tests the best once.

    Started again with the same request, it goes on where it was stopped.

    Arguments
    ---------
    request : Request
        What is asked.
    say : callable
        Tells a line of progress.
    runner : callable
        Runs a job of the recipe.
    began : float, optional
        Reading of ``time.monotonic`` that the time is counted from; now by
        default.

    Returns
    -------
    Final
        The trained models, and what they do on the test split.

    Raises
    ------
    ValueError
        If the sounds cannot be used, the backbone cannot be loaded, or the
        output folder holds another training.
    """
    began = time.monotonic() if began is None else began
    if request.artefact is not None:
        require_prototypes(Artefact.open(request.artefact))
        work = _continue
    else:
        recipe = Recipe(request.backbone)
        if request.method != AUTO:
            recipe.check(request.method)
        work = partial(_train, recipe)
    request.folder.mkdir(parents=True, exist_ok=True)
    with lock_of(request.folder) as lock:
        if lock is None:
            raise ValueError(
                f"Another training is running in {request.folder}: wait until "
                "it ends, or give another --output."
            )
        record = Record(request.folder, request.settings(), began)
        try:
            return work(request, record, say, runner)
        finally:
            if record["data"] is not None:
                record.keep("data", record["data"])  # and the time spent


def _continue(request, record, say, runner):
    """Adds the sounds to an artefact, in a locked folder."""
    del runner  # nothing is trained but the head
    artefact = Artefact.open(request.artefact)
    stock = artefact.backbone(request.source, True).to(request.device)
    trained = artefact.load(stock)
    sounds = _prepare(
        request,
        record,
        window=artefact.metadata["features"]["max_length"] / FRAMES,
        several_labels=TASKS[task_of(artefact.metadata)].several,
        known_labels=trained.labels,
    )
    sounds = join_labels(sounds, trained.labels)
    before = before_of(trained, sounds)
    _introduce(sounds, say)
    record.passed("sounds")
    what = trained.compute_features, trained.encoder, request.device
    known = _outputs(request, record, sounds, what, say)
    record.passed("embeddings")
    folder = request.folder / "runs" / GROWN / "artefact"
    if record["probe"] is None or not folder.is_dir():
        grown = grow(trained, known, before)
        backbone = stock.refit(**artefact.blueprint.options())
        task, valid = sounds.task, before.join("valid", known["valid"].given)
        logits = grown.probe(valid.x)
        p = task.probabilities(logits)
        decision = task.decision(p, valid.y, before)
        write_grown(
            folder, artefact, trained, backbone, grown, sounds, decision
        )
        record.keep("continued", grown.facts())
        record.keep(
            "probe",
            {
                "method": GROWN,
                "overrides": {"decay": grown.probe.decay},
                "parameters": 0,
                "seconds": round(record.spent(), 1),
                "folder": str(folder),
                "score": task.score(p, valid.y),
                "loss": task.loss(logits, valid.y).item(),
            },
        )
    say(told_before(sounds.task, record["continued"]))
    _look(record, sounds, known, before)
    chosen = [{"name": GROWN, **record["probe"]}]
    return finish(request, record, sounds, known, chosen, say, before)


def _train(recipe, request, record, say, runner):
    """Like ``train_folder``, in a locked folder."""
    sounds = _prepare(request, record)
    _introduce(sounds, say)
    record.passed("sounds")
    options = runs.shared_options(request, sounds)
    n_clips = len(sounds.entries["train"]) + len(sounds.entries["valid"])
    candidates = make_candidates(recipe, request, options, n_clips, say)
    model = LinearModel(
        recipe, options, request.folder / "runs" / PROBE, request.device
    )
    what = model.front_end, model.encoder, request.device
    known = _outputs(request, record, sounds, what, say)
    record.passed("embeddings")
    _probe(request, record, sounds, model, known, say)
    _look(record, sounds, known)
    pace = _pace(record, known, bool(candidates))
    reserve = _reserve(request, record, sounds, known)
    search = Search(request, recipe, sounds, record, pace, reserve, say, runner)
    search(candidates)
    record.passed(SEARCH)
    chosen = best_of(record, request.vote)
    return finish(request, record, sounds, known, chosen, say)


def _prepare(request, record, **options) -> Sounds:
    """Prepares the data beside what is there, and compares both."""
    new = request.manifests.with_name(".manifest-new")
    shutil.rmtree(new, ignore_errors=True)
    try:
        sounds = prepare(request, new, **options)
        record.settle(sounds.identity())
        shutil.rmtree(request.manifests, ignore_errors=True)
        new.rename(request.manifests)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return read(request, request.manifests)


def _introduce(sounds, say):
    """Tells what the data are."""
    sizes = sounds.sizes()
    say(
        f"{len(sounds.names)} classes, {sum(sizes.values())} clips of up to "
        f"{sounds.record['window']:g} s: {sizes['train']} train, "
        f"{sizes['valid']} validate, {sizes['test']} test."
    )
    groups = sounds.record["groups"]
    if groups:
        say(
            f"{len(groups)} groups of sounds stay in one split each; "
            f"manifest/{RECORD} has the reasons."
        )


def _outputs(request, record, sounds, what, say):
    """Runs a frozen model over what trains and validates."""
    told = foresee(sounds, *what, request.minutes, record.spent())
    if told:
        say(told)
    return {
        split: outputs_of(sounds, split, *what) for split in ("train", "valid")
    }


def _probe(request, record, sounds, model, known, say):
    """Fits the linear probe, and writes its artefact, unless it is there."""
    folder = request.folder / "runs" / PROBE / "artefact"
    if record["probe"] is not None and folder.is_dir():
        return
    task, valid = sounds.task, known["valid"]
    probe = tune(
        *known["train"].given,
        *valid.given,
        len(sounds.labels),
        loss=task.loss,
        score=lambda logits, y: task.score(task.probabilities(logits), y),
    )
    logits = probe(valid.values)
    loss = task.loss(logits, valid.targets).item()
    p = task.probabilities(logits)
    score = task.score(p, valid.targets)
    model.write(
        folder,
        probe,
        sounds,
        {f"valid_{task.metric.name}": score, "valid_loss": loss},
        task.decision(p, valid.targets),
    )
    record.keep(
        "probe",
        {
            "method": "linear",
            "overrides": {"decay": probe.decay},
            "parameters": 0,
            "seconds": round(record.spent(), 1),
            "folder": str(folder),
            "score": score,
            "loss": loss,
        },
    )
    say(
        f"Linear probe, {record.spent():.0f} s: {task.metric.name} "
        f"{task.shown(score)} of the validation clips"
    )


def _look(record, sounds, known, before=None):
    """Gathers what the report says of the clips, unless it is there."""
    if record["early"] is None:
        record.keep("early", early_facts(record, sounds, known, before))
    record.passed("probe")


def _reserve(request, record, sounds, known) -> float:
    """Returns the seconds that are needed after the search."""
    if record["ending"] is None:
        folder = Path(record["probe"]["folder"])
        record.keep("ending", list(measure(request, sounds, known, folder)))
    ending = Ending(*record["ending"])
    return ending.seconds(clips_at_the_end(sounds), request.vote)


def _pace(record, known: dict[str, Outputs], trains: bool) -> Pace:
    """Returns how long things take; as measured when the search began."""
    if record["pace"] is None:
        seconds = [known[split].seconds for split in ("train", "valid")]
        start = measure_start() if trains else 0.0
        record.keep("pace", [start, *seconds])
    return Pace(*record["pace"])


def measure_start() -> float:
    """Measures how long a run of the recipe takes beside its epochs.

    A machine that is busy, or whose disk is slow, takes a multiple of what
    another one does.
    """
    begin = time.monotonic()
    subprocess.run(
        [sys.executable, "-c", IMPORTS], stdin=subprocess.DEVNULL, check=True
    )
    return START * (time.monotonic() - begin)
