"""Artefacts to convert."""

from pathlib import Path

import pytest
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.lobes.ast import AST

HEAD = "!name:speechbrain_petl.lobes.heads.NormedLinear"


@pytest.fixture
def load(make_artefact, tmp_path, tiny_folder):
    """Makes an artefact and loads it."""

    def make(yaml, **overrides):
        make_artefact(tmp_path / yaml, yaml, **overrides)
        return Artefact.open(tmp_path / yaml).load(AST(tiny_folder))

    return make


@pytest.fixture
def stock_head(monkeypatch):
    """Lets recipes' YAMLs have the head of Hugging Face's AST."""
    read = Path.read_text

    def read_text(path, *args, **kwargs):
        text = read(path, *args, **kwargs)
        return text.replace(
            "classifier: !name:torch.nn.Linear", f"classifier: {HEAD}"
        )

    monkeypatch.setattr(Path, "read_text", read_text)
