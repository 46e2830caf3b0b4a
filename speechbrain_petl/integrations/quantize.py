"""Exports a model with products in int8, calibrated on clips.

The weights of the encoder's large products are rounded to 8 bits, a scale for
each output channel, and what they read to 8 bits by the range that calibration
saw. Front end, patches, attention's scores, adapters and head stay in float32:
they take little time and much of the precision.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from speechbrain_petl.artefacts.trained import Trained
from speechbrain_petl.dataio.datasets import read_clip, read_manifest
from speechbrain_petl.integrations.onnx import export_onnx, open_onnx
from speechbrain_petl.utils.files import replacing, write_file
from speechbrain_petl.utils.messages import name_some
from speechbrain_petl.utils.optional import require

from speechbrain.dataio.preprocess import AudioNormalizer

NARROWEST = 64  # a product with less on any side is not worth it
BATCH = 4


def export_int8(
    trained: Trained,
    path: str | os.PathLike,
    calibration: str | os.PathLike,
    test: str | os.PathLike,
    data_folder: str | os.PathLike,
) -> dict[str, Any]:
    """Writes an ONNX file in int8, and beside it what that costs.

    Arguments
    ---------
    trained : Trained
        A loaded artefact, on the CPU.
    path : str or path-like
        The file; ``<path>.json`` gets the record.
    calibration, test : str or path-like
        Manifests, such as a run's ``train.json`` and ``test.json``: clips for
        the ranges, and clips with labels to measure the accuracy on.
    data_folder : str or path-like
        Folder of the corpus, for ``{data_root}`` in the manifests.

    Returns
    -------
    dict
        The record: number of clips of each manifest, ``accuracy_fp32``,
        ``accuracy_int8``, ``lost`` (points in percent) and ``same_label``,
        the share of clips whose label stays.

    Raises
    ------
    ValueError
        If a package is missing, a manifest lists no clip, a label is none of
        the model's, or the model has no product that is large enough.
    """
    require("onnxruntime", "export", "int8")
    path = Path(path)
    ranges = read_entries(calibration, data_folder)
    tested = read_entries(test, data_folder)
    unknown = {e["label"] for e in tested.values()} - set(trained.labels)
    if unknown:
        raise ValueError(
            f"'{test}' has labels that this model does not know: "
            f"{name_some(sorted(unknown))}."
        )
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "fp32.onnx"
        export_onnx(trained, whole)
        with replacing(path) as temporary:
            quantize(whole, temporary, batches(trained, ranges))
            logits = [
                measure(trained, file, tested) for file in (whole, temporary)
            ]
    targets = [trained.labels.index(e["label"]) for e in tested.values()]
    found = [one.argmax(1) for one in logits]
    right = [
        (one == torch.tensor(targets)).double().mean().item() for one in found
    ]
    record = {
        "precision": "int8",
        "calibrated_on": len(ranges),
        "tested_on": len(tested),
        "accuracy_fp32": right[0],
        "accuracy_int8": right[1],
        "lost": 100 * (right[0] - right[1]),
        "same_label": (found[0] == found[1]).double().mean().item(),
    }
    write_file(f"{path}.json", json.dumps(record, indent=2) + "\n")
    return record


def read_entries(manifest: str | os.PathLike, data_folder: Any) -> dict:
    """Reads a manifest that lists clips.

    Raises
    ------
    ValueError
        If it lists none.
    """
    entries = read_manifest(str(manifest), str(data_folder))
    if not entries:
        raise ValueError(f"'{manifest}' lists no clip.")
    return entries


def batches(trained: Trained, entries: dict) -> Iterator[dict[str, Any]]:
    """Yields the inputs of a few clips after the others, as ONNX has them."""
    normalizer = AudioNormalizer(trained.compute_features.sample_rate)
    samples = trained.compute_features.clip_samples
    clips = list(entries.values())
    for start in range(0, len(clips), BATCH):
        some = clips[start : start + BATCH]
        wavs = [read_clip(one, normalizer)[:samples] for one in some]
        padded = torch.stack(
            [torch.nn.functional.pad(w, (0, samples - len(w))) for w in wavs]
        )
        lens = torch.tensor([len(w) / samples for w in wavs])
        yield {"wavs": padded.numpy(), "lens": lens.numpy()}


def measure(trained: Trained, file: Path, entries: dict) -> torch.Tensor:
    """Computes the logits [clips, classes] of clips by an ONNX file."""
    run = open_onnx(file)
    return torch.cat(
        [
            run(*(torch.from_numpy(batch[name]) for name in ("wavs", "lens")))
            for batch in batches(trained, entries)
        ]
    )


def quantize(
    source: Path, target: Path, calibration: Iterator[dict[str, Any]]
) -> None:
    """Writes a model with its large products in int8.

    Raises
    ------
    ValueError
        If there are none.
    """
    import onnx

    kit: Any = require("onnxruntime.quantization", "export", "int8")
    graph = onnx.load(source).graph
    sizes = {one.name: list(one.dims) for one in graph.initializer}
    nodes, inside = [], False
    for node in graph.node:
        inside |= node.op_type == "LayerNormalization"  # past the front end
        size = sizes.get(node.input[1], [0]) if len(node.input) > 1 else [0]
        if inside and node.op_type == "MatMul" and min(size) >= NARROWEST:
            nodes.append(node.name)
    if not nodes:
        raise ValueError(
            f"This model has no product of {NARROWEST} columns or more: it is "
            "too small for int8."
        )

    class Reader(kit.CalibrationDataReader):
        """Hands over one batch after the other."""

        def get_next(self):
            """Returns the next batch, None after the last."""
            return next(calibration, None)

    kit.quantize_static(
        str(source),
        str(target),
        Reader(),
        quant_format=kit.QuantFormat.QDQ,
        op_types_to_quantize=["MatMul"],
        nodes_to_quantize=nodes,
        activation_type=kit.QuantType.QUInt8,
        weight_type=kit.QuantType.QInt8,
        per_channel=True,
    )
