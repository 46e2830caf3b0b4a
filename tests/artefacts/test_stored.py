"""An artefact is read, checked and shown without torch."""

import subprocess
import sys

import pytest
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.stored import Stored

#: Packages that take seconds to import.
HEAVY = ("torch", "transformers", "speechbrain", "numpy", "huggingface_hub")


@pytest.fixture(scope="module")
def folder(make_artefact, tmp_path_factory):
    """An artefact."""
    folder = tmp_path_factory.mktemp("stored") / "artefact"
    make_artefact(folder, labels=["dog", "cat"])
    return folder


def test_what_is_read_is_what_an_artefact_has(folder):
    stored, artefact = Stored.open(folder), Artefact.open(folder)
    assert stored.metadata == artefact.metadata
    assert stored.shapes == artefact.shapes
    assert stored.labels == ["dog", "cat"] and stored.task == "classification"
    with pytest.raises(ValueError, match="use it with PETLClassifier"):
        stored.require("tagging")


@pytest.mark.parametrize(
    "name", ["petl.safetensors", "label_encoder.txt", "custom.py"]
)
def test_all_files_are_checked(name, folder, tmp_path):
    for file in folder.iterdir():
        content = file.read_bytes()
        (tmp_path / file.name).write_bytes(content)
    with (tmp_path / name).open("ab") as file:
        file.write(b"x")
    with pytest.raises(ValueError, match=name):
        Stored.open(tmp_path)


def test_no_heavy_package_is_imported(folder):
    code = (
        "import sys; from speechbrain_petl.cli.main import main;"
        "assert main(['inspect', sys.argv[1]]) == 0;"
        f"found = [m for m in {HEAVY} if m in sys.modules];"
        "assert not found, found"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert "dog, cat" in run.stdout
