"""The commands that check, write and move artefacts."""

import os

from speechbrain_petl.artefacts.hub import (
    pull as pull_artefact,
    push as push_artefact,
)
from speechbrain_petl.artefacts.tasks import LABELLED
from speechbrain_petl.cli.shared import fill_bank, load_artefact
from speechbrain_petl.dataio.norm_stats import compute_norm_stats
from speechbrain_petl.inference.bank import AdapterBank
from speechbrain_petl.integrations.onnx import export_onnx, export_program
from speechbrain_petl.integrations.onnx_bank_export import export_bank
from speechbrain_petl.integrations.peft_format import to_peft
from speechbrain_petl.integrations.quantize import export_int8
from speechbrain_petl.integrations.transformers import (
    merge_to_transformers,
    reads_clips_of,
)
from speechbrain_petl.utils.messages import printable

EXPORTERS = {"onnx": export_onnx, "pt2": export_program, "peft": to_peft}


def verify(options) -> int:
    """Loads an artefact with every check there is."""
    trained = load_artefact(options)
    outputs = len(trained.metadata["probe"]["logits"])
    what = "classes" if trained.labels else "numbers an embedding"
    print(
        f"'{options.artefact}' is whole: {outputs} {what}, the tensors, the label map and the "
        "backbone fit, and the probe gives the recorded logits."
    )
    return 0


def merge(options) -> int:
    """Merges an artefact into a stock Hugging Face model."""
    trained = load_artefact(options, *LABELLED)
    difference = merge_to_transformers(trained, options.folder)
    print(
        f"'{options.folder}' equals the adapted model within {difference:.2g}, "
        f"{reads_clips_of(trained)}."
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
    if options.quantize:
        return _export_int8(options, kind)
    difference = EXPORTERS[kind](load_artefact(options), options.path)
    print(f"'{options.path}' equals the model within {difference:.2g}.")
    return 0


def _export_int8(options, kind):
    """Writes an ONNX file in int8 and prints what it costs."""
    needed = ("calibrate", "test", "data_folder")
    missing = [f"--{one}" for one in needed if getattr(options, one) is None]
    if kind != "onnx" or missing:
        raise ValueError(
            "--quantize int8 is for .onnx files and needs "
            f"{', '.join(missing) or 'one'}: clips for the ranges of the "
            "numbers, and clips to measure the accuracy on."
        )
    sources = (options.calibrate, options.test, options.data_folder)
    for source in sources:
        if not os.path.exists(source):
            raise ValueError(f"There is no '{printable(source)}'.")
    trained = load_artefact(options, *LABELLED)
    found = export_int8(trained, options.path, *sources)
    print(
        f"'{options.path}' in int8: accuracy {found['accuracy_int8']:.2%} on "
        f"{found['tested_on']} clips, {found['accuracy_fp32']:.2%} in float32; "
        f"the same label for {found['same_label']:.2%}."
    )
    return 0


def write_bank(options) -> int:
    """Writes several artefacts as a bank in ONNX."""
    bank = AdapterBank(options.backbone, "cpu", options.fetch or None)
    fill_bank(bank, options.task)
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
