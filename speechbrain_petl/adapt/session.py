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
from speechbrain_petl.adapt.embeddings import Outputs, outputs_of
from speechbrain_petl.adapt.final import Final, finish
from speechbrain_petl.adapt.grow import (
    grow,
    join_labels,
    require_prototypes,
    write_grown,
)
from speechbrain_petl.adapt.linear import LinearModel
from speechbrain_petl.adapt.probe import tune
from speechbrain_petl.adapt.recipe import Recipe
from speechbrain_petl.adapt.record import Record
from speechbrain_petl.adapt.request import AUTO, Request
from speechbrain_petl.adapt.rounds import Pace
from speechbrain_petl.adapt.search import Search, best_of
from speechbrain_petl.adapt.sounds import FRAMES, RECORD, Sounds, prepare, read
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.experiments.running.locks import lock_of
from torch import nn

IMPORTS = "import speechbrain_petl.training.launch, transformers"
START = 1.5  # what a run takes beside its epochs, in such imports
SAFETY = 5.0  # seconds for what nobody thought of
RESERVED = 3.0  # passes over a split of the test's size: test and report
PROBE, GROWN = "linear", "grown"


def train_folder(
    request: Request,
    say: Callable[[str], None] = print,
    runner: runs.Runner = runs.run_process,
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
    if not Path(request.data_folder).is_dir():
        raise ValueError(f"There is no folder '{request.data_folder}'.")
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
        record = Record(request.folder, request.settings())
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
    window = artefact.metadata["features"]["max_length"] / FRAMES
    sounds = _prepare(request, record, window)
    if not sounds.task.grows:
        raise ValueError(
            f"The clips of '{request.data_folder}' have several labels each, "
            "or none, and what is continued has one label each: train on all "
            "of them at once, without --continue."
        )
    sounds = join_labels(sounds, trained.labels)
    _introduce(sounds, say)
    known = {
        split: outputs_of(
            sounds,
            split,
            trained.compute_features,
            trained.encoder,
            request.device,
        )
        for split in ("train", "valid")
    }
    folder = request.folder / "runs" / GROWN / "artefact"
    if record["probe"] is None or not folder.is_dir():
        grown = grow(trained, known, len(sounds.labels))
        backbone = stock.refit(**artefact.blueprint.options())
        write_grown(folder, artefact, trained, backbone, grown, sounds)
        valid = known["valid"]
        logits = grown.probe(valid.values)
        record.keep("continued", grown.facts())
        record.keep(
            "probe",
            {
                "method": GROWN,
                "overrides": {"decay": grown.probe.decay},
                "parameters": 0,
                "seconds": round(record.spent(), 1),
                "folder": str(folder),
                "score": grown.probe.accuracy(valid.values, valid.targets),
                "loss": nn.functional.cross_entropy(
                    logits, valid.targets
                ).item(),
            },
        )
    found = record["continued"]
    say(
        f"Of {found['n_stored']} stored clips of the {found['n_old']} classes "
        f"from before, {found['before']:.1%} were told rightly before, and "
        f"{found['after']:.1%} now."
    )
    chosen = [{"name": GROWN, **record["probe"]}]
    old = trained.metadata["prototypes"]
    return finish(request, record, sounds, known, chosen, say, old)


def _train(recipe, request, record, say, runner):
    """Like ``train_folder``, in a locked folder."""
    sounds = _prepare(request, record)
    _introduce(sounds, say)
    options = runs.shared_options(request, sounds)
    model = LinearModel(
        recipe, options, request.folder / "runs" / PROBE, request.device
    )
    known = {
        split: outputs_of(
            sounds, split, model.front_end, model.encoder, request.device
        )
        for split in ("train", "valid")
    }
    _probe(request, record, sounds, model, known, say)
    n_clips = sum(len(outputs.ids) for outputs in known.values())
    candidates = make_candidates(recipe, request, options, n_clips)
    pace = _pace(record, known, bool(candidates))
    per_clip = pace.train / len(known["train"].ids)
    n_test = len(sounds.entries["test"])
    reserve = SAFETY + (RESERVED + request.vote) * per_clip * n_test
    search = Search(request, recipe, sounds, record, pace, reserve, say, runner)
    search(candidates)
    chosen = best_of(record, request.vote)
    return finish(request, record, sounds, known, chosen, say)


def _prepare(request, record, window="auto") -> Sounds:
    """Prepares the data beside what is there, and compares both."""
    new = request.manifests.with_name(".manifest-new")
    shutil.rmtree(new, ignore_errors=True)
    try:
        sounds = prepare(request, new, window)
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
