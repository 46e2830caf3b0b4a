"""Backbones of this machine's own artefacts are found again."""

import os
import shutil

import pytest
from speechbrain_petl.artefacts.backbones import SEARCH_VARIABLE, folders_of
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.remembered import remember, remembered


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SPEECHBRAIN_PETL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(SEARCH_VARIABLE, raising=False)
    return tmp_path / "cache"


def _folder(path):
    path.mkdir(parents=True)
    (path / "config.json").touch()
    return str(path)


def test_the_latest_folder_comes_first_and_a_moved_one_is_left_out(
    tmp_path, cache
):
    old, new = (_folder(tmp_path / name / "tiny") for name in ("old", "new"))
    remember(old, 64 * "0")
    remember(new, 64 * "1")
    os.utime(cache / "backbones" / "tiny" / (64 * "0"), ns=(0, 0))
    assert remembered("tiny") == [new, old] == folders_of("tiny")
    shutil.rmtree(new)
    assert folders_of("tiny") == [old]


def test_a_hubs_id_is_not_noted(cache):
    remember("MIT/ast", 64 * "0")
    assert not cache.exists()


@pytest.mark.parametrize("note", [b"/elsewhere/other", b"\xff\xfe", b""])
def test_a_note_that_is_none_is_passed_over(tmp_path, cache, note):
    folder = _folder(tmp_path / "tiny")
    remember(folder, 64 * "1")
    (cache / "backbones" / "tiny" / (64 * "0")).write_bytes(note)
    assert remembered("tiny") == [folder]


def test_a_path_may_be_no_text(tmp_path):
    folder = _folder(tmp_path / os.fsdecode(b"\xff") / "tiny")
    remember(folder, 64 * "0")
    assert remembered("tiny") == [folder]


def test_a_cache_that_cannot_be_written_stops_nobody(tmp_path, cache):
    cache.touch()  # a file where its folder would be
    remember(_folder(tmp_path / "tiny"), 64 * "0")
    assert remembered("tiny") == []


def test_an_artefact_opens_where_it_was_trained(
    tmp_path, monkeypatch, tiny_folder, make_artefact
):
    """No path is in it, and none is given."""
    monkeypatch.chdir(tmp_path)
    make_artefact(tmp_path / "artefact")
    here = Artefact.open(tmp_path / "artefact")
    assert here.backbone().source == os.path.abspath(tiny_folder)
    for file in (tmp_path / "artefact").iterdir():
        assert os.fsencode(tiny_folder) not in file.read_bytes()
    monkeypatch.setenv("SPEECHBRAIN_PETL_CACHE", str(tmp_path / "another"))
    with pytest.raises(ValueError, match="is not found here"):
        here.backbone()
