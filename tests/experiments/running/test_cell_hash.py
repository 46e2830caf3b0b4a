"""Which cells are the same, and which only look so."""

import json
import os

import pytest
from speechbrain_petl.experiments.planning.plan import Cell, Variant
from speechbrain_petl.experiments.running.state import (
    backbone_fingerprint,
    cell_hash,
    data_fingerprint,
    other_versions,
)
from speechbrain_petl.utils.versions import versions

YAML = "seed: 1\nlr: 0.1\nnum_workers: 2\nsource: hub/id\n"


@pytest.fixture
def recipes(tmp_path):
    """A recipe."""
    folder = tmp_path / "recipes" / "ESC50" / "hparams"
    folder.mkdir(parents=True)
    (folder / "lora.yaml").write_text(YAML)
    return tmp_path / "recipes"


@pytest.fixture
def hash_of(recipes):
    """``hash_of(**overrides)`` of a cell."""

    def compute(data="data", **overrides):
        backbone_fingerprint.cache_clear()
        cell = Cell("ESC50", Variant("l", "lora"), 1, overrides=overrides)
        return cell_hash(cell, recipes, data)

    return compute


def test_what_changes_nothing_is_not_counted(hash_of, recipes):
    for same in ({"device": "cpu"}, {"num_workers": 9}, {"lr": 0.1}):
        assert hash_of(**same) == hash_of()
    before, yaml = hash_of(), recipes / "ESC50" / "hparams" / "lora.yaml"
    yaml.write_text(f"# Another comment\n{YAML}")
    assert hash_of() == before
    yaml.write_text(YAML.replace("0.1", "0.2"))
    assert hash_of() != before


def test_settings_count(hash_of):
    others = [hash_of("other"), hash_of(lr=0.2), hash_of(precision="bf16")]
    others += [hash_of(source="hub/other"), hash_of(lr=1e-5)]
    assert len({hash_of(), *others}) == 6


@pytest.mark.fault("experiments: another backbone of the same name")
def test_a_backbones_weights_count(hash_of, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_bytes(b"same")
        (tmp_path / name / "README.md").write_text(name)
    one, two = (hash_of(source=str(tmp_path / n)) for n in ("one", "two"))
    assert one == two, "a copy, by other words"
    (tmp_path / "two" / "model.safetensors").write_bytes(b"else")
    assert hash_of(source=str(tmp_path / "two")) != one


@pytest.mark.fault("experiments: audio changed, of the same size and time")
def test_a_clips_content_counts(tmp_path):
    file = tmp_path / "corpus" / "a.wav"
    file.parent.mkdir()
    file.write_bytes(b"one")
    times, before = file.stat(), data_fingerprint(str(file.parent))
    file.write_bytes(b"two")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    data_fingerprint.cache_clear()
    assert data_fingerprint(str(file.parent)) != before


@pytest.mark.fault("experiments: other versions of packages")
def test_other_versions_are_named(tmp_path):
    results = tmp_path / "results.json"
    results.write_text(json.dumps({"accuracy": 1, "versions": versions()}))
    assert other_versions(tmp_path) == ""
    old = {**versions(), "speechbrain-petl": "0.0.1"}
    results.write_text(json.dumps({"accuracy": 1, "versions": old}))
    assert "speechbrain-petl is 0.0.1 there" in other_versions(tmp_path)
