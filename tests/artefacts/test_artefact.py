"""Artefacts: what is in them, how they move, what they refuse."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file, save_file
from speechbrain_petl.artefacts.backbones import (
    fingerprint,
    locate,
    portable_name,
)
from speechbrain_petl.artefacts.format import FORMAT_VERSION
from speechbrain_petl.artefacts.inference_yaml import inference_yaml
from speechbrain_petl.artefacts.model_card import model_card
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.self_check import probe_logits
from speechbrain_petl.artefacts.tensors import HEAD
from speechbrain_petl.inference.classifier import PETLClassifier
from speechbrain_petl.lobes.ast import AST

HPARAMS = Path(__file__).parents[2] / "recipes" / "ESC50" / "hparams"
YAMLS = sorted(path.stem for path in HPARAMS.glob("*.yaml"))

FRESH = """
import json, sys
from speechbrain_petl.inference import PETLClassifier
from speechbrain_petl.artefacts.self_check import probe_waveform
found = {}
for folder in sys.argv[1:]:
    c = PETLClassifier.from_hparams(folder, run_opts={"device": "cpu"})
    found[folder] = c.classify_batch(probe_waveform(3, 7000))[0].tolist()
print(json.dumps(found))
"""


@pytest.fixture
def artefact(make_artefact, tmp_path, tiny_folder):
    """An artefact, its modules beforehand, and how to load it."""
    hparams, head = make_artefact(tmp_path / "artefact")
    overrides = {"source": tiny_folder}

    def load():
        return PETLClassifier.from_hparams(
            str(tmp_path / "artefact"), overrides=overrides
        )

    return tmp_path / "artefact", hparams, head, load


def posteriors(hparams, head, seed=3, n=7000):
    """What the modules in memory say to a seeded input."""
    modules = [hparams["compute_features"], hparams["encoder"].eval(), head]
    logits = probe_logits({"seed": seed, "samples": n}, *modules)
    return logits.log_softmax(-1)


@pytest.mark.slow
def test_every_variant_is_loaded_elsewhere_bit_equal(
    make_artefact, tmp_path, tiny_folder
):
    expected = {}
    for i, yaml in enumerate(YAMLS):
        labels = [f"label {j}" for j in range(2 + i % 5)]
        hparams, head = make_artefact(tmp_path / "run" / yaml, yaml, labels)
        expected[yaml] = posteriors(hparams, head)
    (tmp_path / "run").rename(tmp_path / "moved")
    folders = [str(tmp_path / "moved" / yaml) for yaml in YAMLS]
    backbones = str(Path(tiny_folder).parent)
    done = subprocess.run(
        [sys.executable, "-c", FRESH, *folders],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={
            **os.environ,
            "HF_HUB_OFFLINE": "1",
            "SPEECHBRAIN_PETL_BACKBONES": backbones,
        },
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    for yaml, folder in zip(YAMLS, folders):
        assert torch.equal(torch.tensor(found[folder])[0], expected[yaml]), yaml


def test_the_files_and_what_is_in_them(artefact, tiny_folder):
    folder, hparams, head, _ = artefact
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "artefact.json",
        "custom.py",
        "hyperparams.yaml",
        "label_encoder.txt",
        "petl.safetensors",
    ]
    for path in folder.iterdir():
        content = path.read_bytes()
        for place in (tiny_folder, str(folder), str(Path.home()) + "/"):
            assert place.encode() not in content, f"{place} in {path.name}"
    tensors = load_file(folder / "petl.safetensors")
    assert set(tensors) == {
        *hparams["encoder"].delta(),
        "head.weight",
        "head.bias",
    }
    metadata = json.loads((folder / "artefact.json").read_text())
    assert metadata["format_version"] == FORMAT_VERSION
    assert metadata["labels"] == ["a", "b", "c"]
    assert metadata["features"]["max_length"] == 48
    assert metadata["backbone"]["source"] == Path(tiny_folder).name
    assert metadata["backbone"]["fingerprint"] == fingerprint(AST(tiny_folder))


def test_the_model_card_is_valid(artefact):
    card = ModelCard((artefact[0] / "README.md").read_text())
    assert card.data.library_name == "speechbrain"
    assert card.data.pipeline_tag == "audio-classification"
    assert card.data.license == "other"
    assert card.data.eval_results[0].metric_value == 0.5
    assert "PETLClassifier" in card.text


def test_the_card_is_of_the_metric_that_selects(artefact):
    metadata = json.loads((artefact[0] / "artefact.json").read_text())
    metadata["training"] |= {"selects": "eer", "direction": "min"}
    metadata["metrics"] = {"eer": 0.25, "n_test": 8, "valid_eer": 0.5}
    card = ModelCard(model_card(metadata))
    (result,) = card.data.eval_results
    assert (result.metric_type, result.metric_value) == ("eer", 0.25)
    assert "| Valid eer | 0.5000 |" in card.text
    assert "ccuracy" not in card.text


def test_a_hub_backbone_is_recorded_with_its_commit(artefact):
    run = (HPARAMS / "linear.yaml").read_text()
    from hyperpyyaml import resolve_references

    run = resolve_references(run, {"data_folder": "nowhere"}).getvalue()
    text = inference_yaml(run, (768, 50), "MIT/ast", "0123abcd", 16000, "00")
    assert "source: MIT/ast\nrevision: 0123abcd\n" in text
    assert portable_name("MIT/ast") == locate("MIT/ast") == "MIT/ast"


def damage(folder, change):
    """Changes an artefact's tensors, as one who adjusts the digests as well."""
    import hashlib

    path = folder / "petl.safetensors"
    tensors = load_file(path)
    old = hashlib.sha256(path.read_bytes()).hexdigest()
    change(tensors)
    save_file(tensors, path)
    new = hashlib.sha256(path.read_bytes()).hexdigest()
    for name in ("artefact.json", "hyperparams.yaml"):
        text = (folder / name).read_text()
        (folder / name).write_text(text.replace(old, new))


BIAS = "ffn.0.adapter.down.bias"


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda t: t.pop(BIAS), f"missing '{BIAS}'"),
        (lambda t: t.update(more=t[BIAS].clone()), "unexpected 'more'"),
        (lambda t: t.update({BIAS: torch.zeros(9)}), r"'ffn.0.*shape \(9,\)"),
        (lambda t: t.pop(HEAD + "bias"), "missing 'head.bias'"),
        (
            lambda t: t.update({"head.x": t[BIAS].clone()}),
            "unexpected 'head.x'",
        ),
        (lambda t: t.update({"head.bias": torch.zeros(4)}), r"'head.bias' of"),
        (lambda t: t[BIAS].zero_(), "The probe fails"),
    ],
    ids=lambda x: "" if callable(x) else x,
)
@pytest.mark.fault(
    "artefact: missing, additional, misshapen or changed tensors"
)
def test_wrong_tensors_are_refused(artefact, tiny_ast, change, message):
    folder, _, _, load = artefact
    damage(folder, change)
    with pytest.raises(ValueError, match=message):
        load()
    with pytest.raises(ValueError, match=message):
        Artefact.open(folder).load(tiny_ast)


@pytest.mark.parametrize(
    "name", ["artefact.json", "petl.safetensors", "label_encoder.txt"]
)
@pytest.mark.fault("artefact: missing file")
def test_missing_files_are_named(artefact, name):
    folder, _, _, load = artefact
    (folder / name).unlink()
    with pytest.raises(ValueError, match=name):
        load()


@pytest.mark.fault("artefact: files of another one")
def test_exchanged_files_are_refused(artefact, make_artefact, tmp_path):
    folder, _, _, load = artefact
    make_artefact(tmp_path / "other", labels="vwxyz")
    other = (tmp_path / "other" / "label_encoder.txt").read_text()
    (folder / "label_encoder.txt").write_text(other)
    with pytest.raises(ValueError, match="label map .* is not this artefact's"):
        load()
    other = (tmp_path / "other" / "petl.safetensors").read_bytes()
    (folder / "petl.safetensors").write_bytes(other)
    with pytest.raises(ValueError, match="SHA-256 is another"):
        load()


@pytest.mark.fault("artefact: of a later format")
def test_a_later_format_is_refused(artefact):
    folder, _, _, load = artefact
    metadata = json.loads((folder / "artefact.json").read_text())
    metadata["format_version"] = FORMAT_VERSION + 1
    (folder / "artefact.json").write_text(json.dumps(metadata))
    with pytest.raises(ValueError, match="update it"):
        load()


@pytest.mark.fault("artefact: of a version before the first release")
def test_an_earlier_format_is_refused(artefact):
    """Its YAML names modules that have moved; both ways say so."""
    folder, _, _, load = artefact
    yaml = (folder / "hyperparams.yaml").read_text()
    metadata = json.loads((folder / "artefact.json").read_text())
    metadata["format_version"] = 1
    (folder / "artefact.json").write_text(json.dumps(metadata))
    with pytest.raises(ValueError, match="whose modules have moved since"):
        load()
    (folder / "hyperparams.yaml").write_text(
        yaml.replace("speechbrain_petl.inference.locate", "speechbrain_petl.x")
    )
    with pytest.raises(ValueError, match="callable as speechbrain_petl.x"):
        PETLClassifier.from_hparams(str(folder))


@pytest.mark.fault("artefact: another backbone")
def test_another_backbone_is_refused(artefact, tmp_path, tiny_ast):
    folder = artefact[0]
    with torch.no_grad():
        next(tiny_ast.model.layers[1].parameters())[0] += 1e-3
    tiny_ast.model.save_pretrained(tmp_path / "other")
    with pytest.raises(ValueError, match="is not the one that this artefact"):
        PETLClassifier.from_hparams(
            str(folder), overrides={"source": str(tmp_path / "other")}
        )


def test_the_fingerprint_decides_between_folders_of_a_name(
    artefact, elsewhere, tiny_folder, tiny_ast, tmp_path, monkeypatch
):
    """The first on the way has the right name, and other weights."""
    stored = Artefact.open(artefact[0])
    name = stored.metadata["backbone"]["source"]
    with torch.no_grad():
        next(tiny_ast.model.layers[1].parameters())[0] += 1e-3
    tiny_ast.model.save_pretrained(tmp_path / "other" / name)
    right = Path(tiny_folder)
    places = os.pathsep.join([str(tmp_path / "other"), str(right.parent)])
    monkeypatch.setenv("SPEECHBRAIN_PETL_BACKBONES", places)
    assert right.name == name
    assert stored.backbone().source == str(right)
    monkeypatch.setenv("SPEECHBRAIN_PETL_BACKBONES", str(tmp_path / "other"))
    with pytest.raises(ValueError, match="is not the one that this artefact"):
        stored.backbone()


def test_a_local_backbone_that_is_not_here(artefact, elsewhere):
    with pytest.raises(
        ValueError, match="overrides=.*SPEECHBRAIN_PETL_BACKBONES"
    ):
        PETLClassifier.from_hparams(str(artefact[0]))


def test_the_fingerprint_is_of_the_weights(tiny_folder, tiny_ast, tmp_path):
    """Not of the file: half precision, shards and clip length do not matter."""
    expected = fingerprint(tiny_ast)
    assert fingerprint(AST(tiny_folder, max_length=48)) == expected
    tiny_ast.model.save_pretrained(tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    assert fingerprint(AST(str(tmp_path))) == expected


def test_paths_in_a_method_are_refused():
    run = """
backbone: &a !new:speechbrain_petl.lobes.ast.AST {source: x}
encoder: !new:x.Y {backbone: *a, start_from: /data/start.ckpt}
compute_features: !new:x.Z {}
classifier: !name:torch.nn.Linear
"""
    with pytest.raises(ValueError, match="'encoder.start_from' is the path"):
        inference_yaml(run, (48, 3), "x", None, 16000, "00")
    with pytest.raises(ValueError, match="no 'classifier'"):
        inference_yaml(
            run.rpartition("classifier")[0], (4, 3), "x", None, 1, ""
        )
