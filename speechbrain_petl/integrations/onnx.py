"""Exports a trained model, front end included, as one file.

Any method can be exported: the file holds the whole computation, from
waveforms to logits, and the backbone's weights.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from speechbrain_petl.artefacts.self_check import full_precision, probe_waveform
from speechbrain_petl.artefacts.tasks import task_of
from speechbrain_petl.artefacts.trained import Trained
from speechbrain_petl.utils.messages import first_line
from speechbrain_petl.utils.optional import require
from torch import nn

TOLERANCE = 1e-4
MAX_BATCH = 2**16  # torch 2.7 cannot export a batch without a limit


class Classifier(nn.Module):
    """Maps waveforms [B, samples] and relative lengths [B] to logits.

    Arguments
    ---------
    trained : Trained
        A loaded artefact.
    """

    def __init__(self, trained: Trained):
        super().__init__()
        self.compute_features = trained.compute_features
        self.encoder = trained.encoder
        self.classifier = trained.classifier

    def forward(self, wavs: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
        """Computes logits [B, classes]."""
        feats = self.compute_features(wavs, lens)
        return self.classifier(self.encoder(feats, lens))


def export_onnx(trained: Trained, path: str | os.PathLike) -> float:
    """Writes an ONNX file and compares it with the model.

    Its inputs are ``wavs`` [B, samples of ``max_length`` frames], zero-padded,
    and ``lens`` [B], the share of each that is audio; its output ``logits``
    [B, classes]. The labels, the sample rate, the task and what decides (the
    thresholds of a tagger) are in its metadata.

    Arguments
    ---------
    trained : Trained
        A loaded artefact, on the CPU.
    path : str or path-like
        The file.

    Returns
    -------
    float
        The largest difference of a logit between onnxruntime and the model.

    Raises
    ------
    ValueError
        If a package is missing, or the difference exceeds 1e-4.
    """
    require("onnxruntime", "export", "ONNX")
    program = onnx_program(trained)
    program.model.metadata_props.update(facts_of(trained))
    return _write(trained, path, program.save, open_onnx)


def onnx_program(trained: Trained, optimize: bool = True) -> Any:
    """Makes the ONNX graph of a model, from waveforms to logits.

    Arguments
    ---------
    trained : Trained
        A loaded artefact, on the CPU.
    optimize : bool
        If False, leaves each tensor of the model as it is, under its name.

    Returns
    -------
    torch.onnx.ONNXProgram
        The graph.
    """
    require("onnxscript", "export", "ONNX")  # what torch writes it with
    return torch.onnx.export(
        program_of(trained),
        input_names=["wavs", "lens"],
        output_names=["logits"],
        dynamo=True,
        verbose=False,
        optimize=optimize,
    )


def open_onnx(file: str | os.PathLike) -> Callable:
    """Returns what computes logits of waveforms and lengths by a file."""
    runtime: Any = require("onnxruntime", "export", "ONNX")
    session = runtime.InferenceSession(
        os.fspath(file), providers=["CPUExecutionProvider"]
    )

    def logits(wavs: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
        """Runs the file's graph."""
        feeds = {"wavs": wavs.numpy(), "lens": lens.numpy()}
        return torch.from_numpy(session.run(["logits"], feeds)[0])

    return logits


def export_program(trained: Trained, path: str | os.PathLike) -> float:
    """Writes a ``torch.export`` program (``.pt2``); like ``export_onnx``.

    ``torch.export.load(path).module()`` is called with waveforms and relative
    lengths; the labels and the sample rate are in its extra file
    ``facts.json``.
    """
    program = program_of(trained)
    facts = {"facts.json": json.dumps(facts_of(trained))}
    return _write(
        trained,
        path,
        lambda file: torch.export.save(program, file, extra_files=facts),
        lambda file: torch.export.load(file).module(),
    )


def program_of(trained):
    """Exports the model as a program for batches of any size."""
    batch = torch.export.Dim("batch", max=MAX_BATCH)
    try:
        with torch.no_grad():
            return torch.export.export(
                Classifier(trained).eval(),
                probe_inputs(trained, 2),
                dynamic_shapes=({0: batch}, {0: batch}),
                strict=True,  # a len(tensor) stays a variable then
            )
    except RuntimeError as error:
        raise ValueError(
            "torch cannot export this model, because of a module that its "
            f"method has: {first_line(error)}"
        ) from error


def probe_inputs(trained, n):
    """Waveforms and relative lengths of n seeded clips."""
    samples = trained.compute_features.clip_samples
    lens = torch.linspace(1.0, 0.5, n)
    wavs = torch.cat([probe_waveform(seed, samples) for seed in range(n)])
    inside = torch.arange(samples) < (lens * samples)[:, None]
    return wavs * inside, lens


def facts_of(trained):
    """Returns labels, sample rate and task, for the file's metadata."""
    return {
        "labels": json.dumps(trained.labels),
        "sample_rate": str(trained.compute_features.sample_rate),
        "task": task_of(trained.metadata),
        "decision": json.dumps(trained.metadata.get("decision", {})),
    }


def _write(
    trained: Trained,
    path: str | os.PathLike,
    save: Callable[[str], None],
    load: Callable[[str], Callable],
) -> float:
    """Saves under a temporary name, compares, and renames."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        save(str(temporary))
        difference = compare(trained, load(str(temporary)))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return difference


@torch.no_grad()
def compare(trained, exported):
    """Returns the largest difference of a logit; raises if it matters."""
    wavs, lens = probe_inputs(trained, 3)
    with full_precision():
        expected = Classifier(trained)(wavs, lens)
    difference = (exported(wavs, lens) - expected).abs().max().item()
    if not difference <= TOLERANCE:
        raise ValueError(
            f"The exported model differs by {difference:.3g} from the one it "
            f"was made from; at most {TOLERANCE} is allowed, so nothing was "
            "written. Try other versions of torch and onnxruntime."
        )
    return difference
