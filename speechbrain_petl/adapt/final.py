"""The end of a training: the test split once, the artefact, the report."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save
from speechbrain_petl.adapt.embeddings import Outputs, outputs_of
from speechbrain_petl.adapt.ending import open_model
from speechbrain_petl.adapt.prototypes import PER_CLASS, draw, pack, thin
from speechbrain_petl.adapt.record import Record
from speechbrain_petl.adapt.reporting.facts import given_of, report_facts
from speechbrain_petl.adapt.reporting.page import write_page
from speechbrain_petl.adapt.request import Request
from speechbrain_petl.adapt.sounds import Sounds
from speechbrain_petl.adapt.task import Before
from speechbrain_petl.artefacts.data_facts import data_facts
from speechbrain_petl.artefacts.restate import restate
from speechbrain_petl.artefacts.write import describe
from speechbrain_petl.utils.files import read_json, write_file, write_json

ARTEFACT, BANK, TEST = "artefact", "bank", "test.safetensors"
REPORT, PROTOTYPES = "report.html", "prototypes.json"


class Final(NamedTuple):
    """What a training ends with.

    Arguments
    ---------
    artefact : Path
        Folder of the best model's artefact.
    bank : list of Path
        Folders of the artefacts that vote, if several do.
    score : float
        On the test split: the accuracy, or of several labels a clip the mAP.
    interval : (float, float)
        Its 95 % interval.
    n_test : int
        Number of clips that it is of.
    report : Path
        The page.
    """

    artefact: Path
    bank: list[Path]
    score: float
    interval: tuple[float, float]
    n_test: int
    report: Path


def finish(
    request: Request,
    record: Record,
    sounds: Sounds,
    known: dict[str, Outputs],
    chosen: list[dict[str, Any]],
    say: Callable[[str], None],
    before: Before | None = None,
) -> Final:
    """Tests the chosen models once, and writes what a training leaves.

    Arguments
    ---------
    request : Request
        What was asked.
    record : Record
        What was found.
    sounds : Sounds
        The data.
    known : dict of str to Outputs
        Embeddings of the training and the validation split.
    chosen : list of dict
        The best results, the best first.
    say : callable
        Tells a line of progress.
    before : Before, optional
        What an artefact that was continued brought along.

    Returns
    -------
    Final
    """
    folders = [Path(one["folder"]) for one in chosen]
    tested = request.folder / TEST
    if record["test"] is None or not tested.is_file():
        _test(request, record, sounds, known, folders, tested, before)
    task, found = sounds.task, record["test"]
    alone, voted = (
        _facts(found["alone"], sounds, found["n_test"]),
        _facts(found["voted"], sounds, found["n_test"]),
    )
    alone["prototypes"] = read_json(request.folder / PROTOTYPES)
    bank = []
    restate(folders[0], request.folder / ARTEFACT, alone)
    if len(folders) > 1:
        for number, folder in enumerate(folders, 1):
            name = f"{number}-{chosen[number - 1]['name']}"
            # Whoever opens the bank decides by the average, as was tested.
            restate(folder, request.folder / BANK / name, voted)
            bank.append(request.folder / BANK / name)
    record.passed("test")
    report = _report(request, record, sounds, chosen)
    record.passed("report")
    final = Final(
        request.folder / ARTEFACT,
        bank,
        found["voted"]["metrics"][task.metric.name],
        tuple(found["interval"]),
        found["n_test"],
        report,
    )
    low, high = map(task.shown, final.interval)
    say(
        f"Chosen: {' and '.join(one['name'] for one in chosen)}. {task.title} "
        f"on the {final.n_test} test clips: {task.shown(final.score)} (95 % "
        f"interval {low} to {high})."
    )
    if told := record.overrun(request.minutes):
        say(told)
    return final


def _test(request, record, sounds, known, folders, tested, before):
    """Runs the chosen models over the test split, this one time."""
    task = sounds.task
    found: dict[str, list[torch.Tensor]] = {"valid": [], "test": []}
    for folder in folders:
        trained = open_model(request, folder)
        if folder == folders[0]:
            _keep_prototypes(request, sounds, trained, before)

        def classify(inputs, lens, trained=trained):
            """Returns logits [B, classes]."""
            return trained.classifier(trained.encoder(inputs, lens))

        for split in found:
            outputs = outputs_of(
                sounds,
                split,
                trained.compute_features,
                classify,
                request.device,
            )
            values = outputs.values
            if before is not None and split in before.stored:
                stored = before.stored[split].x.to(request.device)
                with torch.no_grad():
                    old = trained.classifier(stored).cpu()
                values = torch.cat([old, values])
            found[split].append(task.probabilities(values))
    voted = {s: torch.stack(values).mean(dim=0) for s, values in found.items()}
    y = outputs.targets
    write_file(str(tested), save({**voted, "targets": y}))
    _, valid = given_of(known, before)
    strangers = record["early"]["strangers"]

    def judge(p):
        """Returns what an artefact says of probabilities of both splits."""
        metric = f"valid_{task.metric.name}"
        return {
            "metrics": {
                **task.scores(p["test"], y),
                "n_test": len(y),
                metric: task.score(p["valid"], valid.y),
            },
            "decision": task.decision(p["valid"], valid.y, before),
            "unknown": task.unknown(p["valid"], strangers),
        }

    voted_facts = judge(voted)
    first = {split: values[0] for split, values in found.items()}
    write_predictions(
        request.folder,
        outputs.ids,
        *task.rows(voted["test"], y, sounds.names, voted_facts["decision"]),
    )
    record.keep(
        "test",
        {
            "n_test": len(outputs.ids),
            "interval": task.interval(voted["test"], y),
            "members": [
                {"folder": str(folder), "score": task.score(values, y)}
                for folder, values in zip(folders, found["test"], strict=True)
            ],
            "alone": judge(first) if len(folders) > 1 else voted_facts,
            "voted": voted_facts,
        },
    )


def _report(request, record, sounds, chosen):
    """Writes report.json and report.html."""
    tested = load_test(request.folder)
    facts = report_facts(
        record,
        sounds,
        list(sounds.entries["test"]),
        tested["test"],
        tested["targets"],
        chosen,
    )
    write_json(request.folder / "report.json", facts)
    write_page(request.folder / REPORT, facts, sounds)
    return request.folder / REPORT


def _keep_prototypes(request, sounds, trained, before):
    """Writes embeddings of a few clips of each class, by the best model."""
    packed = {}
    for split, most in PER_CLASS.items():
        names = list(sounds.entries[split])
        members = sounds.task.members(sounds.targets(split))
        chosen = draw(members, most, request.seed)
        found = outputs_of(
            sounds,
            split,
            trained.compute_features,
            trained.encoder,
            request.device,
            only={names[row] for row in chosen},
        ).given
        # An old class that has new clips is known by the old ones too.
        clips = found if before is None else before.join(split, found)
        few = thin(clips, sounds.task, request.seed)
        packed[split] = pack(few, sounds.task)
    write_json(request.folder / PROTOTYPES, packed)


def load_test(folder: Path) -> dict[str, torch.Tensor]:
    """Reads the probabilities of both splits, and the test's targets."""
    return load_file(folder / TEST)


def _facts(judged, sounds, n_test):
    """Returns what an artefact says of the data and of the test."""
    unknown = judged["unknown"]
    if unknown is not None:
        known = {k: v for k, v in unknown.items() if v is not None}
    return {
        "metrics": judged["metrics"],
        "decision": judged["decision"],
        "training": {
            "data": data_facts(
                None, sounds.data_folder, sounds.manifest("train"), n_test
            ),
            "clips": {
                split: describe(sounds.manifest(split))
                for split in ("train", "valid", "test")
            },
        },
        **({} if unknown is None else {"unknown": known}),
    }


def write_predictions(
    folder: Path, ids: list[str], header: list[str], cells: list[list[str]]
) -> None:
    """Writes ``predictions.csv``, a row a test clip."""
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    writer.writerow(["id", *header])
    writer.writerows([name, *row] for name, row in zip(ids, cells, strict=True))
    write_file(str(folder / "predictions.csv"), rows.getvalue())
