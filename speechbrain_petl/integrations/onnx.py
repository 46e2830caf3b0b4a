"""Exports a trained model, front end included, as one file.

Any method can be exported: the file holds the whole computation, from
waveforms to logits, and the backbone's weights.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import torch
from speechbrain_petl.artefacts.self_check import full_precision, probe_waveform
from speechbrain_petl.artefacts.tasks import task_of
from speechbrain_petl.artefacts.trained import Trained
from speechbrain_petl.utils.messages import first_line
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
    try:
        import onnxruntime
        import onnxscript  # noqa: F401  what torch writes ONNX with
    except ImportError as error:
        raise ValueError(
            "ONNX needs packages of its own: pip install "
            "'speechbrain-petl[export]'."
        ) from error
    program = torch.onnx.export(
        _program(trained),
        input_names=["wavs", "lens"],
        output_names=["logits"],
        dynamo=True,
        verbose=False,
    )
    program.model.metadata_props.update(_facts(trained))

    def run(file):
        """Makes a session of a file."""
        session = onnxruntime.InferenceSession(
            file, providers=["CPUExecutionProvider"]
        )

        def logits(wavs, lens):
            """Runs the file's graph."""
            feeds = {"wavs": wavs.numpy(), "lens": lens.numpy()}
            return torch.from_numpy(session.run(["logits"], feeds)[0])

        return logits

    return _write(trained, path, program.save, run)


def export_program(trained: Trained, path: str | os.PathLike) -> float:
    """Writes a ``torch.export`` program (``.pt2``); like ``export_onnx``.

    ``torch.export.load(path).module()`` is called with waveforms and relative
    lengths; the labels and the sample rate are in its extra file
    ``facts.json``.
    """
    program = _program(trained)
    facts = {"facts.json": json.dumps(_facts(trained))}
    return _write(
        trained,
        path,
        lambda file: torch.export.save(program, file, extra_files=facts),
        lambda file: torch.export.load(file).module(),
    )


def _program(trained):
    """Exports the model as a program for batches of any size."""
    batch = torch.export.Dim("batch", max=MAX_BATCH)
    try:
        with torch.no_grad():
            return torch.export.export(
                Classifier(trained).eval(),
                _inputs(trained, 2),
                dynamic_shapes=({0: batch}, {0: batch}),
                strict=True,  # a len(tensor) stays a variable then
            )
    except RuntimeError as error:
        raise ValueError(
            "torch cannot export this model, because of a module that its "
            f"method has: {first_line(error)}"
        ) from error


def _inputs(trained, n):
    """Waveforms and relative lengths of n seeded clips."""
    samples = trained.compute_features.clip_samples
    lens = torch.linspace(1.0, 0.5, n)
    wavs = torch.cat([probe_waveform(seed, samples) for seed in range(n)])
    inside = torch.arange(samples) < (lens * samples)[:, None]
    return wavs * inside, lens


def _facts(trained):
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
        difference = _compare(trained, load(str(temporary)))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return difference


@torch.no_grad()
def _compare(trained, exported):
    """Returns the largest difference of a logit; raises if it matters."""
    wavs, lens = _inputs(trained, 3)
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
