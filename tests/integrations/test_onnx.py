"""ONNX and torch.export: whole models as one file."""

import json
from pathlib import Path

import pytest
import torch
from speechbrain_petl.integrations.onnx import export_onnx, export_program

from tests.integrations.converted import logits

HPARAMS = Path(__file__).parents[2] / "recipes" / "ESC50" / "hparams"
YAMLS = sorted(path.stem for path in HPARAMS.glob("*.yaml"))


def check_onnx(trained, path):
    """Runs an ONNX file on batches of other sizes than it was made with."""
    onnxruntime = pytest.importorskip("onnxruntime")
    assert export_onnx(trained, path) <= 1e-4
    session = onnxruntime.InferenceSession(path)
    for n in (1, 5):
        wavs = torch.rand(n, trained.compute_features.clip_samples) - 0.5
        lens = torch.ones(n)
        found = session.run(None, {"wavs": wavs.numpy(), "lens": lens.numpy()})
        expected = logits(trained, wavs)
        assert torch.allclose(torch.from_numpy(found[0]), expected, atol=1e-4)
    facts = session.get_modelmeta().custom_metadata_map
    assert json.loads(facts["labels"]) == trained.labels
    assert facts["sample_rate"] == "16000"
    assert b"/tiny_ast" not in Path(path).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("yaml", YAMLS)
def test_every_variant_as_onnx(load, tmp_path, yaml):
    check_onnx(load(yaml), tmp_path / "model.onnx")


def test_torch_export(load, tmp_path):
    trained = load("adapter_hou_par")
    assert export_program(trained, tmp_path / "model.pt2") <= 1e-4
    facts = {"facts.json": ""}
    program = torch.export.load(tmp_path / "model.pt2", extra_files=facts)
    wavs = torch.rand(3, trained.compute_features.clip_samples) - 0.5
    found = program.module()(wavs, torch.ones(3))
    assert torch.allclose(found, logits(trained, wavs), atol=1e-5)
    assert json.loads(json.loads(facts["facts.json"])["labels"]) == list("abc")


def test_an_export_that_differs_is_not_written(load, tmp_path, monkeypatch):
    monkeypatch.setattr("speechbrain_petl.integrations.onnx.TOLERANCE", -1.0)
    with pytest.raises(ValueError, match="nothing was written"):
        export_program(load("linear"), tmp_path / "model.pt2")
    assert not list(tmp_path.glob("*.pt2")) + list(tmp_path.glob(".*.pt2"))
