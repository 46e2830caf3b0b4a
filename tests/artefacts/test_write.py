"""Artefacts are written whole, and say nothing of the machine."""

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.write import describe, portable, save_artefact


@pytest.mark.fault("artefact: writing fails in the middle")
def test_an_artefact_is_whole_or_not_at_all(
    make_artefact, tmp_path, monkeypatch
):
    make_artefact(tmp_path / "artefact")
    before = (tmp_path / "artefact" / "petl.safetensors").read_bytes()
    monkeypatch.setattr(
        "speechbrain_petl.artefacts.write.model_card", lambda m: 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        make_artefact(tmp_path / "artefact", labels="abcd")
    assert [p.name for p in tmp_path.iterdir()] == ["artefact"]
    assert (tmp_path / "artefact" / "petl.safetensors").read_bytes() == before


def test_a_class_that_is_not_listed_is_written_with_a_warning(
    make_artefact, tmp_path, monkeypatch, caplog
):
    """``from_hparams`` loads it; nobody else does."""
    read = Path.read_text
    monkeypatch.setattr(
        Path,
        "read_text",
        lambda path, *args, **kwargs: read(path, *args, **kwargs).replace(
            "reduction_rate: !ref <reduction_rate>",
            "reduction_rate: !ref <reduction_rate>\n"
            "                activation: !name:torch.nn.PReLU",
        ),
    )
    make_artefact(tmp_path / "a")
    assert "Only from_hparams will load" in caplog.text
    with pytest.raises(ValueError, match="'!name:torch.nn.PReLU', which is"):
        Artefact.open(tmp_path / "a")


def test_a_run_without_results_has_no_artefact(tmp_path):
    hparams = SimpleNamespace(output_folder=str(tmp_path))
    with pytest.raises(ValueError, match="no results.json .*brain.evaluate"):
        save_artefact(SimpleNamespace(hparams=hparams), "ESC-50")
    assert not list(tmp_path.iterdir())


def test_manifests_are_described_by_their_content(tmp_path):
    manifest = tmp_path / "test.json"
    assert describe(str(manifest)) is None
    manifest.write_text(json.dumps({"a": {}, "b": {}}))
    digest = hashlib.sha256(manifest.read_bytes()).hexdigest()
    assert describe(str(manifest)) == {"number": 2, "manifest_sha256": digest}


def test_paths_are_not_recorded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("here").touch()
    kept = {"lr": 0.1, "sizes": [1, 2], "none": None}
    paths = {"a": "data/x", "b": "here", "c": ["mean", "/tmp"]}
    assert portable(kept | paths) == kept
