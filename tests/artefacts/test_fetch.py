"""Fetching: a folder as it is, the hub for its known files only."""

import huggingface_hub
import pytest
from speechbrain_petl.artefacts.fetch import check_presence, fetch
from speechbrain_petl.artefacts.format import FILES


def test_a_folder_is_not_looked_for_on_the_hub(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", None)
    assert fetch(tmp_path) == (tmp_path, False)


def test_only_an_artefacts_files_are_fetched(tmp_path, monkeypatch):
    asked = []

    def download(*args, **options):
        asked.append((args, options))
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert fetch("owner/name", "v1") == (tmp_path, True)
    options = {"revision": "v1", "allow_patterns": list(FILES)}
    assert asked == [(("owner/name",), options)]


def test_failure_names_source_and_revision(monkeypatch):
    def download(*args, **options):
        raise OSError("offline\nand more")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    with pytest.raises(ValueError) as caught:
        fetch("owner/name", "v1")
    message = str(caught.value)
    assert "'owner/name'" in message and "revision 'v1'" in message
    assert "(offline)" in message and "and more" not in message


def test_missing_metadata_come_first(tmp_path):
    names = ("petl.safetensors", "artefact.json")
    files = {name: tmp_path / name for name in names}
    with pytest.raises(ValueError, match="There is no artefact"):
        check_presence(files)
    files["artefact.json"].touch()
    with pytest.raises(ValueError, match="there is no petl.safetensors"):
        check_presence(files)
    files["petl.safetensors"].symlink_to(tmp_path / "elsewhere")
    check_presence(files)  # whether a link is good is told on opening
