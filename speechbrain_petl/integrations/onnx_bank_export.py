"""Writes a bank in ONNX: one model, and a small file for each task."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from speechbrain_petl.artefacts.trained import Trained
from speechbrain_petl.integrations.onnx import Classifier, compare, onnx_program
from speechbrain_petl.integrations.onnx_bank import (
    ENDING,
    INDEX,
    MODEL,
    NAME,
    VERSION,
    OnnxBank,
)
from speechbrain_petl.utils.files import replacing_folder
from speechbrain_petl.utils.messages import name_some, printable
from speechbrain_petl.utils.optional import require


def export_bank(tasks: Mapping[str, Trained], folder: str | Path) -> float:
    """Writes a bank and compares each of its tasks with its model.

    The graph is that of the first task. What its training changed are inputs
    that the graph has values for; the others' stand for them at each call. So
    all tasks are of one method with the same sizes, and of one backbone; their
    classes may differ.

    Arguments
    ---------
    tasks : mapping of str to Trained
        Loaded artefacts, on the CPU, by the names of their tasks.
    folder : str or Path
        Folder to write: ``backbone.onnx``, ``bank.json`` and a file
        ``<task>.onnx_adapter`` for each task.

    Returns
    -------
    float
        The largest difference of a logit from the models'.

    Raises
    ------
    ValueError
        If a package is missing, the tasks do not go together, or a difference
        exceeds 1e-4. Nothing is written then.
    """
    require("onnxruntime", "export", "ONNX")
    _check(tasks)
    first = next(iter(tasks.values()))
    names = list(_changed(first))
    program = onnx_program(first, optimize=False)
    _open_for(program.model, names, _head_of(first))
    index = {
        "format": "speechbrain-petl",
        "version": VERSION,
        "sample_rate": first.compute_features.sample_rate,
        "samples": first.compute_features.clip_samples,
        "tasks": {task: trained.labels for task, trained in tasks.items()},
    }
    written = [MODEL, INDEX, f"*{ENDING}"]
    with replacing_folder(folder, INDEX, written) as temporary:
        program.save(str(temporary / MODEL))
        text = json.dumps(index, indent=2) + "\n"
        (temporary / INDEX).write_text(text, encoding="utf-8")
        for task, trained in tasks.items():
            write_adapter(temporary / f"{task}{ENDING}", _changed(trained))
        bank = OnnxBank(temporary)
        return max(
            compare(trained, _by(bank, task)) for task, trained in tasks.items()
        )


def write_adapter(file: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Writes tensors in onnxruntime's format of adapters."""
    runtime: Any = require("onnxruntime", "export", "ONNX")
    adapter = runtime.AdapterFormat()
    adapter.set_adapter_version(VERSION)
    adapter.set_model_version(VERSION)
    values = {
        name: runtime.OrtValue.ortvalue_from_numpy(tensor.numpy())
        for name, tensor in tensors.items()
    }
    adapter.set_parameters(values)
    adapter.export_adapter(str(file))


def _by(bank, task):
    """Returns what computes logits by a task, on tensors."""

    def logits(wavs, lens):
        """Runs the bank."""
        return torch.from_numpy(bank.logits(task, wavs.numpy(), lens.numpy()))

    return logits


def _changed(trained):
    """Returns what training changed, by its names in the graph."""
    head = trained.classifier.state_dict(keep_vars=True)
    both = (*trained.encoder.delta().values(), *head.values())
    wanted = {id(tensor) for tensor in both if tensor.is_floating_point()}
    return {
        name: tensor.detach().contiguous()
        for name, tensor in Classifier(trained)
        .state_dict(keep_vars=True)
        .items()
        if id(tensor) in wanted
    }


def _head_of(trained):
    """Returns the names of the tensors of which one axis are the classes."""
    classes = len(trained.labels)
    return [
        name
        for name, tensor in Classifier(trained).named_parameters()
        if name.startswith("classifier.") and tensor.shape[0] == classes
    ]


def _open_for(model, names, head):
    """Makes inputs of tensors of a graph, which keep their values.

    The number of classes becomes a variable.
    """
    import onnx_ir as ir

    graph = model.graph
    lost = [name for name in names if name not in graph.initializers]
    if lost:
        raise ValueError(
            f"ONNX has no tensors of its own for {name_some(lost)}: this "
            "method cannot be put into a bank; export its tasks one by one."
        )
    for name in names:
        value = graph.initializers[name]
        if name in head:
            value.shape = ir.Shape(["classes", *list(value.shape)[1:]])
        graph.inputs.append(value)
    (logits,) = graph.outputs
    logits.shape = ir.Shape([logits.shape[0], "classes"])


def _shapes(trained):
    """Returns the shapes of what training changed, without the classes."""
    head = _head_of(trained)
    return {
        name: tensor.shape[1:] if name in head else tensor.shape
        for name, tensor in _changed(trained).items()
    }


def _check(tasks):
    """Raises if tasks cannot be in one bank."""
    if not tasks:
        raise ValueError("A bank needs at least one task.")
    for task in tasks:
        if not NAME.fullmatch(task):
            raise ValueError(
                f"'{printable(task)}' cannot be a task's name, as it is a "
                "file's name too: use letters, digits, '_', '-' and '.'."
            )
    first_task, first = next(iter(tasks.items()))
    for task, trained in tasks.items():
        both = f"'{printable(first_task)}' and '{printable(task)}'"
        prints = {
            t.metadata["backbone"]["fingerprint"] for t in (first, trained)
        }
        if len(prints) > 1:
            raise ValueError(f"{both} are of different backbones.")
        if not first.compute_features.alike(trained.compute_features):
            raise ValueError(
                f"{both} have front ends of different settings, such as the "
                "clip's length: use a bank for each."
            )
        if _shapes(first) != _shapes(trained):
            raise ValueError(
                f"{both} are of different methods or sizes, and a bank in "
                "ONNX is one graph: use a bank for each method."
            )
