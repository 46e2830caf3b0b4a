"""The end of a training: the test split once, the artefact, the report."""

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save
from speechbrain_petl.adapt.embeddings import Outputs, outputs_of
from speechbrain_petl.adapt.insights import KEPT, threshold, unknown_auroc
from speechbrain_petl.adapt.prototypes import PER_CLASS, draw, pack, unpack
from speechbrain_petl.adapt.record import Record
from speechbrain_petl.adapt.reporting.facts import report_facts
from speechbrain_petl.adapt.reporting.page import write_page
from speechbrain_petl.adapt.request import Request
from speechbrain_petl.adapt.sounds import Sounds
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.restate import restate
from speechbrain_petl.artefacts.write import describe
from speechbrain_petl.utils.files import read_json, write_file, write_json
from speechbrain_petl.utils.interval import wilson

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
    accuracy : float
        On the test split.
    interval : (float, float)
        Its 95 % interval, by Wilson.
    n_test : int
        Number of clips that it is of.
    report : Path
        The page.
    """

    artefact: Path
    bank: list[Path]
    accuracy: float
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
    old_prototypes: Mapping[str, Any] | None = None,
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
    old_prototypes : mapping, optional
        Stored clips of an artefact that was continued.

    Returns
    -------
    Final
    """
    folders = [Path(one["folder"]) for one in chosen]
    tested = request.folder / TEST
    if record["test"] is None or not tested.is_file():
        _test(request, record, sounds, known, folders, tested, old_prototypes)
    n_correct, n = record["test"]["n_correct"], record["test"]["n_test"]
    facts = _facts(record, sounds)
    own = {"prototypes": read_json(request.folder / PROTOTYPES)}
    bank = []
    for number, folder in enumerate(folders):
        if number == 0:
            restate(folder, request.folder / ARTEFACT, {**facts, **own})
        if len(folders) > 1:
            name = f"{number + 1}-{chosen[number]['name']}"
            restate(folder, request.folder / BANK / name, facts)
            bank.append(request.folder / BANK / name)
    report = _report(request, record, sounds, known, chosen)
    final = Final(
        request.folder / ARTEFACT,
        bank,
        n_correct / n,
        wilson(n_correct, n),
        n,
        report,
    )
    low, high = final.interval
    say(
        f"Chosen: {' and '.join(one['name'] for one in chosen)}. Accuracy on "
        f"the {n} test clips: {final.accuracy:.1%} (95 % interval {low:.1%} "
        f"to {high:.1%})."
    )
    return final


def _test(request, record, sounds, known, folders, tested, old_prototypes):
    """Runs the chosen models over the test split, this one time."""
    found: dict[str, list[torch.Tensor]] = {"valid": [], "test": []}
    for folder in folders:
        artefact = Artefact.open(folder)
        stock = artefact.backbone(request.source, True).to(request.device)
        trained = artefact.load(stock)

        if folder == folders[0]:
            _keep_prototypes(request, sounds, trained, old_prototypes)

        def classify(inputs, lens, trained=trained):
            """Returns probabilities [B, classes]."""
            return trained.classifier(trained.encoder(inputs, lens)).softmax(1)

        for split in found:
            outputs = outputs_of(
                sounds,
                split,
                trained.compute_features,
                classify,
                request.device,
            )
            found[split].append(outputs.values)
    voted = {s: torch.stack(values).mean(dim=0) for s, values in found.items()}
    predicted = voted["test"].argmax(dim=1)
    right = int((predicted == outputs.targets).sum())
    write_file(str(tested), save({**voted, "targets": outputs.targets}))
    write_predictions(request.folder, sounds, outputs, voted["test"])
    valid_right = voted["valid"].argmax(dim=1) == known["valid"].targets
    train, valid = known["train"], known["valid"]
    auroc = unknown_auroc(
        train.values,
        train.targets,
        valid.values,
        valid.targets,
        len(sounds.labels),
        record["probe"]["overrides"]["decay"],
    )
    record.keep(
        "test",
        {
            "n_test": len(outputs.ids),
            "n_correct": right,
            "valid_accuracy": valid_right.double().mean().item(),
            "members": [
                {
                    "folder": str(folder),
                    "n_correct": int(
                        (values.argmax(dim=1) == outputs.targets).sum()
                    ),
                }
                for folder, values in zip(folders, found["test"], strict=True)
            ],
            "unknown": {
                "threshold": threshold(voted["valid"].max(dim=1).values),
                "kept": KEPT,
                "auroc": auroc,
            },
        },
    )


def _report(request, record, sounds, known, chosen):
    """Writes report.json and report.html."""
    tested = load_test(request.folder)
    facts = report_facts(
        record,
        sounds,
        known,
        list(sounds.entries["test"]),
        tested["test"],
        tested["targets"],
        chosen,
    )
    write_json(request.folder / "report.json", facts)
    write_page(request.folder / REPORT, facts, sounds)
    return request.folder / REPORT


def _keep_prototypes(request, sounds, trained, old):
    """Writes embeddings of a few clips of each class, by the best model."""
    packed = {}
    for split, most in PER_CLASS.items():
        entries = list(sounds.entries[split].items())
        labels = [sounds.labels.encode_label(e["label"]) for _, e in entries]
        chosen = draw(labels, most, request.seed)
        found = outputs_of(
            sounds,
            split,
            trained.compute_features,
            trained.encoder,
            request.device,
            only={entries[row][0] for row in chosen},
        )
        x, y = found.values, found.targets
        if old is not None:
            old_x, old_y = unpack(old[split], len(sounds.labels))
            # An old class that has new clips is known by the old ones too.
            x, y = torch.cat([old_x, x]), torch.cat([old_y, y])
        packed[split] = pack(x, y)
    write_json(request.folder / PROTOTYPES, packed)


def load_test(folder: Path) -> dict[str, torch.Tensor]:
    """Reads the probabilities of both splits, and the test's targets."""
    return load_file(folder / TEST)


def _facts(record, sounds):
    """Returns what the artefact says of the test."""
    test = record["test"]
    unknown = {k: v for k, v in test["unknown"].items() if v is not None}
    return {
        "metrics": {
            "accuracy": test["n_correct"] / test["n_test"],
            "n_test": test["n_test"],
            "valid_accuracy": test["valid_accuracy"],
        },
        "training": {
            "clips": {
                split: describe(sounds.manifest(split))
                for split in ("train", "valid", "test")
            }
        },
        "unknown": unknown,
    }


def write_predictions(
    folder: Path, sounds: Sounds, outputs: Outputs, p: torch.Tensor
) -> None:
    """Writes ``predictions.csv``, a row a test clip."""
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    writer.writerow(["id", "target", "prediction", "probability"])
    names = sounds.names
    best, index = p.max(dim=1)
    for name, target, guess, probability in zip(
        outputs.ids, outputs.targets.tolist(), index.tolist(), best.tolist()
    ):
        writer.writerow(
            [name, names[target], names[guess], f"{probability:.6f}"]
        )
    write_file(str(folder / "predictions.csv"), rows.getvalue())
