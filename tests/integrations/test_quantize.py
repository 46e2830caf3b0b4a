"""int8: smaller, nearly as good, and what it costs is written beside it."""

import json

import numpy as np
import pytest
import soundfile
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.integrations import quantize
from speechbrain_petl.lobes.ast import AST

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


@pytest.fixture
def manifest(tmp_path):
    """Six clips of noise, of three labels."""
    generator, entries = np.random.default_rng(0), {}
    for i in range(6):
        wave = generator.uniform(-0.5, 0.5, 6000) * (i + 1) / 6
        soundfile.write(tmp_path / f"{i}.wav", wave, 16000)
        entries[str(i)] = {
            "wav": f"{{data_root}}/{i}.wav",
            "label": "abc"[i % 3],
            "duration": 0.375,
        }
    (tmp_path / "test.json").write_text(json.dumps(entries))
    return tmp_path / "test.json"


@pytest.fixture
def trained(make_artefact, tmp_path, tiny_folder):
    make_artefact(tmp_path / "artefact", "linear")
    return Artefact.open(tmp_path / "artefact").load(AST(tiny_folder))


def test_int8_and_its_record(trained, manifest, tmp_path, monkeypatch):
    monkeypatch.setattr(quantize, "NARROWEST", 8)
    path = tmp_path / "model.onnx"
    record = quantize.export_int8(trained, path, manifest, manifest, tmp_path)
    assert json.loads((tmp_path / "model.onnx.json").read_text()) == record
    assert record["calibrated_on"] == record["tested_on"] == 6
    assert record["lost"] == pytest.approx(
        100 * (record["accuracy_fp32"] - record["accuracy_int8"])
    )
    assert record["same_label"] >= 5 / 6
    import onnx

    types = {node.op_type for node in onnx.load(path).graph.node}
    assert "DequantizeLinear" in types


def test_refusals(trained, manifest, tmp_path, monkeypatch):
    monkeypatch.setattr(quantize, "NARROWEST", 10**6)
    path = tmp_path / "model.onnx"
    with pytest.raises(ValueError, match="too small for int8"):
        quantize.export_int8(trained, path, manifest, manifest, tmp_path)
    text = manifest.read_text().replace('"c"', '"z"')
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(ValueError, match="does not know: z"):
        quantize.export_int8(
            trained, path, manifest, tmp_path / "other.json", tmp_path
        )
    assert not path.exists()
