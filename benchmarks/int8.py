"""Int8 by onnxruntime against fp32: clips a second, and accuracy on ESC-10.

Houlsby adapters on a backbone of AST-base's size; and, with ``--esc10``,
linear probes of all folds, each calibrated on 32 of its training clips and
tested on its test clips: ``accuracy`` is their mean, the time is of one fold's.
"""

import itertools
import tempfile
from pathlib import Path

import torch

from benchmarks.front_end import wav_files
from benchmarks.measure import Contender
from benchmarks.plans import carry_out
from benchmarks.serving import make_artefacts
from benchmarks.time_to_accuracy import SETTINGS

HERE = "benchmarks.int8"
CALIBRATED_ON = 32
SIZE, CLIPS = "AST-base's size", "ESC-10's folds"


def write(folder, backbone, entries, precision):
    """Writes an artefact's model as ONNX; returns the model and the file."""
    from speechbrain_petl.artefacts.open import Artefact
    from speechbrain_petl.integrations.onnx import export_onnx
    from speechbrain_petl.integrations.quantize import batches, quantize

    artefact = Artefact.open(folder)
    trained = artefact.load(artefact.backbone(backbone))
    whole = Path(folder).parent / "fp32.onnx"
    export_onnx(trained, whole)
    if precision == "fp32":
        return trained, whole
    file = whole.with_name("int8.onnx")
    quantize(whole, file, batches(trained, entries))
    return trained, file


def make(precision, backbone, corpus, clips, batch, frames, threads_of_calls):
    """Makes one call of a batch of clips, of a model with random weights."""
    kept = tempfile.TemporaryDirectory()
    tasks = {"task": ("adapter_hou_par", 50)}
    make_artefacts(Path(kept.name), backbone, frames, tasks)
    entries = {wav: {"wav": wav} for wav in wav_files(corpus, clips)}
    folder = Path(kept.name) / "task"
    trained, file = write(folder, backbone, entries, precision)
    return caller(trained, file, batch, threads_of_calls, kept)


def caller(trained, file, batch, threads, kept):
    """Returns what classifies a batch of noise, and facts."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        str(file), options, providers=["CPUExecutionProvider"]
    )
    wavs = torch.rand(batch, trained.compute_features.clip_samples) - 0.5
    feeds = {"wavs": wavs.numpy(), "lens": torch.ones(batch).numpy()}

    def run():
        session.run(["logits"], feeds)

    run.kept = kept
    size = file.stat().st_size / 1e6
    return run, {"clips": batch, "disk_mb": size, "opaque": True}


def on_esc10(precision, source, corpus, folds, batch, threads_of_calls):
    """Makes such a call of a fold's probe, and measures all folds."""
    from speechbrain_petl.integrations.quantize import measure, read_entries

    kept = tempfile.TemporaryDirectory()
    overrides = {
        "source": source,
        "device": "cpu",
        "num_workers": 0,
        "freq_mask": 0,
        "time_mask": 0,
        "stored_states": "bf16",
        **SETTINGS,
    }
    runs = carry_out(
        Path(kept.name),
        corpus,
        variants=["linear"],
        folds=folds,
        seeds=[1234],
        overrides=overrides,
    )
    right = []
    for run in runs:
        train, test = (
            read_entries(run / "manifest" / f"{name}.json", corpus)
            for name in ("train", "test")
        )
        step = max(1, len(train) // CALIBRATED_ON)  # clips lie by class
        some = itertools.islice(train.items(), 0, None, step)
        trained, file = write(run / "artefact", source, dict(some), precision)
        labels = [trained.labels.index(e["label"]) for e in test.values()]
        found = measure(trained, file, test).argmax(1)
        right += (found == torch.tensor(labels)).tolist()
    run, facts = caller(trained, file, batch, threads_of_calls, kept)
    return run, facts | {"accuracy": sum(right) / len(right)}


def groups(options) -> dict[str, list[Contender]]:
    """Returns the contenders; of ESC-10 only if it is given."""
    # The worker takes "threads" for itself.
    common = {"batch": options.batch, "threads_of_calls": options.threads}
    sizes = common | {
        "backbone": options.backbone,
        "corpus": options.corpus,
        "clips": min(options.clips, CALIBRATED_ON),
        "frames": options.frames,
    }
    found = {SIZE: ("make", sizes)}
    if options.esc10:
        found[CLIPS] = (
            "on_esc10",
            common
            | {
                "source": options.esc10_source,
                "corpus": options.esc10,
                "folds": options.folds,
            },
        )
    return {
        group: [
            Contender(p, f"{HERE}:{make}", more | {"precision": p})
            for p in ("fp32", "int8")
        ]
        for group, (make, more) in found.items()
    }
