"""The commands of ``speechbrain-petl``, given their options."""

import json
import logging
import os
import sys
import traceback
import warnings

import huggingface_hub
import torch
import transformers
from speechbrain_petl.artefacts.hub import (
    pull as pull_artefact,
    push as push_artefact,
)
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.tasks import CLASSIFICATION, task_of
from speechbrain_petl.dataio.norm_stats import compute_norm_stats
from speechbrain_petl.inference.bank import AdapterBank
from speechbrain_petl.inference.speaker import PETLSpeaker
from speechbrain_petl.integrations.onnx import export_onnx, export_program
from speechbrain_petl.integrations.onnx_bank_export import export_bank
from speechbrain_petl.integrations.peft_format import to_peft
from speechbrain_petl.integrations.transformers import merge_to_transformers
from speechbrain_petl.utils.errors import sentence
from speechbrain_petl.utils.messages import first_line, printable
from tqdm import tqdm

EXPORTERS = {"onnx": export_onnx, "pt2": export_program, "peft": to_peft}


def quiet() -> None:
    """Silences progress bars and hints of libraries."""
    transformers.utils.logging.disable_progress_bar()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="torch|peft|transformers|copyreg")
    huggingface_hub.utils.disable_progress_bars()


def predict(options) -> int:
    """Classifies files by one artefact."""
    bank = _bank(options)
    bank.add("", options.artefact, options.revision)
    return _classify(bank, options)


def predict_bank(options) -> int:
    """Classifies files by several artefacts."""
    return _classify(_fill(_bank(options), options.task), options)


def _fill(bank, tasks):
    """Adds the tasks NAME=ARTEFACT of a command line to a bank."""
    parts = [text.partition("=") for text in tasks]
    for name, equals, source in parts:
        if not (name and equals and source):
            raise ValueError(
                "--task is NAME=ARTEFACT, such as events=esc50/artefact, not "
                f"'{name}{equals}{source}'."
            )
    for name, _, source in parts:
        bank.add(name, source)
    return bank


def _bank(options):
    """Makes an empty bank with the options of a command."""
    device = _device(options.device)
    return AdapterBank(options.backbone, device, options.fetch or None)


def _device(name):
    """Returns the name of a device that tensors can be put on."""
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"There is no device '{name}' here: give cpu, or cuda where there "
            f"is a GPU ({first_line(error)})."
        ) from error
    return name


def _classify(bank, options):
    """Classifies file after file; a file that fails does not stop the rest."""
    failed = 0
    many = len(options.files) > 1
    for path in tqdm(
        options.files, disable=None if many else True, unit="file"
    ):
        try:
            predictions = bank.classify_file(path)
        except Exception as error:  # whatever it is, the next may be fine
            failed += 1
            _fail(path, error, options)
            continue
        for prediction in predictions:
            labels = bank[prediction.task].labels
            _say(_shown(path, prediction, labels, options))
    return _count_failed(failed, options)


def _fail(path, error, options):
    """Tells why a file failed; called where the error is handled."""
    if options.debug:
        _say(traceback.format_exc(), sys.stderr)
    said = sentence(error)
    if printable(path) not in said:
        said = f"{printable(path)}: {said}"
    _say(f"speechbrain-petl: {said}", sys.stderr)
    if options.json:
        _say(json.dumps({"file": path, "error": said}))


def _count_failed(failed, options):
    """Tells how many files failed, and returns the exit code."""
    if failed:
        _say(f"{failed} of {len(options.files)} files failed.", sys.stderr)
    return 1 if failed else 0


def _shown(path, prediction, labels, options):
    """Formats the prediction of one task as a line of text or JSON."""
    best = prediction.posteriors.exp().topk(min(options.top, len(labels)))
    ranked = [
        {"label": labels[i], "probability": round(p, 6)}
        for p, i in zip(best.values.tolist(), best.indices.tolist())
    ]
    task = prediction.task
    if options.json:
        named = {"task": task} if task else {}
        return json.dumps({"file": path, **named, "predictions": ranked})
    guesses = [f"{one['label']} {one['probability']:.3f}" for one in ranked]
    cells = [path, *([task] if task else []), *guesses]
    return "\t".join(map(printable, cells))


def _say(line, stream=None):
    """Writes a line beside the progress bar."""
    tqdm.write(line, file=stream or sys.stdout)


def verify_speakers(options) -> int:
    """Compares the speaker of one file with those of others."""
    speaker = PETLSpeaker.from_artefact(
        options.artefact,
        options.revision,
        options.backbone,
        _device(options.device),
        options.fetch or None,
    )
    failed = 0
    for path in options.files:
        try:
            found = speaker.verify_files(
                options.enrolled, path, options.threshold
            )
        except Exception as error:  # whatever it is, the next may be fine
            failed += 1
            _fail(path, error, options)
            continue
        score, same = (one.item() for one in found)
        if options.json:
            shown = {"file": path, "score": round(score, 6), "same": same}
            _say(json.dumps(shown))
        else:
            said = "same speaker" if same else "other speaker"
            _say(f"{printable(path)}\t{said}\t{score:.4f}")
    return _count_failed(failed, options)


def train(options) -> int:
    """Trains an adapter on a folder of sounds."""
    from speechbrain_petl.adapt.request import DEFAULT_SOURCE, Request
    from speechbrain_petl.adapt.session import train_folder

    # Each model that is made would tell its seed.
    logging.getLogger("speechbrain").setLevel(logging.ERROR)
    name = os.path.basename(os.path.abspath(options.folder))
    final = train_folder(
        Request(
            data_folder=options.folder,
            output=options.output or os.path.join("results", name),
            metadata=options.metadata,
            group_by=options.group_by,
            source=options.source or DEFAULT_SOURCE,
            method=options.method,
            minutes=options.minutes,
            params=options.params,
            vote=options.vote,
            near_duplicates=not options.no_near_duplicates,
            skip_bad_audio=options.skip_bad_audio,
            seed=options.seed,
            device=_device(options.device),
        ),
        say=_say,
    )
    _say(f"Artefact: {final.artefact}\nReport: {final.report}")
    return 0


def inspect(options) -> int:
    """Shows an artefact's metadata."""
    metadata = Artefact.open(options.artefact, options.revision).metadata
    if options.json:
        print(json.dumps(metadata, indent=2))
        return 0
    backbone, features = metadata["backbone"], metadata["features"]
    training = metadata["training"]
    revision = f" at {backbone['revision']}" if backbone["revision"] else ""
    rows = {
        "task": task_of(metadata)
        + "".join(
            f", {key} {value}"
            for key, value in metadata.get("decision", {}).items()
        ),
        "method": metadata["method"],
        "trained": f"{sum(metadata['trainable'].values()):,} parameters ("
        + ", ".join(f"{k} {v:,}" for k, v in metadata["trainable"].items())
        + ")",
        "size": f"{metadata['tensors']['bytes']:,} bytes",
        "backbone": f"{backbone['source']}{revision}, fingerprint "
        f"{backbone['fingerprint'][:12]}, pooling {backbone['pooling']}",
        "input": f"{features['max_length']} frames "
        f"({features['max_length'] / 100} s) at {features['sample_rate']} Hz, "
        f"mean {features.get('mean')}, std {features.get('std')}",
        "trained on": training["corpus"] + _clips(training),
        "metrics": ", ".join(
            f"{k} {v}" for k, v in metadata["metrics"].items()
        ),
        "labels": f"{len(metadata['labels'])}: {', '.join(metadata['labels'])}",
        "format": f"{metadata['format']} {metadata['format_version']}",
        "versions": ", ".join(
            f"{k} {v}" for k, v in metadata["versions"].items()
        ),
    }
    for name, value in rows.items():
        print(f"{name:<11} {printable(value)}")
    return 0


def _clips(training):
    """Returns the number of clips of each split, as far as recorded."""
    counts = [
        f"{name} {split['number']:,}"
        for name, split in training.get("clips", {}).items()
        if split
    ]
    return f" (clips: {', '.join(counts)})" if counts else ""


def verify(options) -> int:
    """Loads an artefact with every check there is."""
    trained = _load(options)
    outputs = len(trained.metadata["probe"]["logits"])
    what = "classes" if trained.labels else "numbers an embedding"
    print(
        f"'{options.artefact}' is whole: {outputs} {what}, the tensors, the label map and the "
        "backbone fit, and the probe gives the recorded logits."
    )
    return 0


def merge(options) -> int:
    """Merges an artefact into a stock Hugging Face model."""
    trained = _load(options, CLASSIFICATION)
    difference = merge_to_transformers(trained, options.folder)
    print(
        f"'{options.folder}' equals the adapted model within {difference:.2g}."
    )
    return 0


def export(options) -> int:
    """Writes an artefact in another program's format."""
    ending = os.path.splitext(options.path)[1].removeprefix(".")
    kind = options.format or ending
    if kind not in EXPORTERS:
        raise ValueError(
            f"'{options.path}' does not say what to write: let it end in .onnx "
            f"or .pt2, or give --format, one of {', '.join(EXPORTERS)}."
        )
    if kind != "peft" and os.path.isdir(options.path):
        raise ValueError(f"'{options.path}' is a folder: name a file to write.")
    difference = EXPORTERS[kind](_load(options), options.path)
    print(f"'{options.path}' equals the model within {difference:.2g}.")
    return 0


def write_bank(options) -> int:
    """Writes several artefacts as a bank in ONNX."""
    bank = AdapterBank(options.backbone, "cpu", options.fetch or None)
    _fill(bank, options.task)
    tasks = {task: bank[task] for task in bank.tasks}
    difference = export_bank(tasks, options.path)
    print(
        f"'{options.path}' has {len(tasks)} tasks, each equal to its model "
        f"within {difference:.2g}."
    )
    return 0


def push(options) -> int:
    """Uploads an artefact."""
    commit = push_artefact(
        options.artefact,
        options.repo,
        options.revision,
        options.private,
        options.license,
    )
    print(f"'{options.repo}' has it, at commit {commit}.")
    return 0


def norm_stats(options) -> int:
    """Prints statistics of a corpus as overrides of a recipe's command."""
    mean, std = compute_norm_stats(
        options.manifest, options.data_folder, options.max_length
    )
    print(f"--feature_mean {mean:.7g} --feature_std {std:.7g}")
    return 0


def pull(options) -> int:
    """Downloads an artefact into a folder."""
    commit = pull_artefact(options.repo, options.folder, options.revision)
    print(f"'{options.folder}' holds '{options.repo}' at commit {commit}.")
    return 0


def _load(options, *tasks):
    """Loads the artefact that the options name, on the CPU.

    It is of one of the tasks, if any are given.
    """
    artefact = Artefact.open(options.artefact, options.revision)
    if tasks:
        artefact.require(*tasks)
    backbone = artefact.backbone(options.backbone, options.fetch or None)
    return artefact.load(backbone)
