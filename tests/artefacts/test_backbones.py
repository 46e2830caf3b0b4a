"""Backbones: where they are found, and whether it is the right one."""

import os

import pytest
import torch
from speechbrain_petl.artefacts import backbones
from speechbrain_petl.artefacts.backbones import (
    SEARCH_VARIABLE,
    cached,
    check_backbone,
    commit,
    locate,
    skeleton,
)
from speechbrain_petl.lobes.fingerprint import fingerprint


def test_folders_are_searched_in_order(tmp_path, monkeypatch):
    first, second, here = (tmp_path / name for name in ("one", "two", "here"))
    for folder in (first, second, here):
        (folder / "tiny").mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.setenv(SEARCH_VARIABLE, f"{first}{os.pathsep}{second}")
    with pytest.raises(ValueError, match="'tiny' was a local folder"):
        locate("tiny")  # none is a checkpoint
    for folder, found in (
        (here, os.path.join(".", "tiny")),
        (second, str(second / "tiny")),
        (first, str(first / "tiny")),
    ):
        (folder / "tiny" / "config.json").touch()
        assert locate("tiny") == found


def test_what_has_a_slash_is_not_searched(monkeypatch):
    monkeypatch.setenv(SEARCH_VARIABLE, "")
    assert locate("owner/name") == "owner/name"
    assert locate("/nowhere/tiny") == "/nowhere/tiny"


def test_the_cache_counts_only_with_weights(tmp_path, monkeypatch):
    there = {"config.json"}

    def look(name, file, revision=None):
        return str(tmp_path / file) if file in there else None

    monkeypatch.setattr(backbones, "try_to_load_from_cache", look)
    assert cached("owner/name") is None
    there.add("pytorch_model.bin.index.json")
    assert cached("owner/name") == str(tmp_path)


def test_one_changed_weight_is_another_backbone(tiny_ast):
    expected = fingerprint(tiny_ast)
    check_backbone(tiny_ast, expected)
    assert commit(tiny_ast) is None  # of a folder
    with torch.no_grad():
        next(tiny_ast.parameters()).view(-1)[0] += 1
    with pytest.raises(ValueError, match="fingerprint is .*artefact's is"):
        check_backbone(tiny_ast, expected)


def test_a_skeleton_has_the_shapes_and_no_memory(tiny_ast):
    copy = skeleton(tiny_ast)
    found, expected = copy.state_dict(), tiny_ast.state_dict()
    assert {n: t.shape for n, t in found.items()} == {
        n: t.shape for n, t in expected.items()
    }
    assert all(tensor.is_meta for tensor in found.values())
    assert not any(tensor.is_meta for tensor in expected.values())
