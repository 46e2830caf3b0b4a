"""Artefacts whose average decides."""

import json

import pytest
import soundfile
import torch
from speechbrain_petl.cli.main import main
from speechbrain_petl.inference import AdapterBank, PETLClassifier
from speechbrain_petl.inference.many import classify_files
from speechbrain_petl.inference.vote import members_of


@pytest.fixture
def voters(make_artefact, tmp_path):
    """A folder of two artefacts with other heads, and a clip."""
    for number, method in enumerate(("linear", "lora")):
        torch.manual_seed(number)
        make_artefact(tmp_path / f"bank/{number}-{method}", method)
    (tmp_path / "bank/notes").mkdir()
    wave = torch.randn(8000, generator=torch.Generator().manual_seed(0))
    soundfile.write(tmp_path / "a.wav", 0.1 * wave.numpy(), 16000)
    return tmp_path / "bank", tmp_path / "a.wav"


def test_probabilities_are_averaged(voters, tiny_folder):
    folder, clip = voters
    alone = [
        PETLClassifier.from_artefact(one, backbone=tiny_folder)
        for one in members_of(folder)
    ]
    assert len(alone) == 2
    p = [one.classify_file(clip)[0][0].exp() for one in alone]
    assert not torch.allclose(*p, atol=1e-4)
    bank = AdapterBank(tiny_folder)
    bank.add("", folder)
    (found,) = bank.classify_file(clip)
    assert torch.allclose(found.posteriors.exp(), (p[0] + p[1]) / 2, atol=1e-6)
    (answer,) = classify_files(bank, [str(clip)])
    (many,) = answer.predictions
    assert torch.allclose(many.posteriors, found.posteriors, atol=1e-5)
    assert bank.n_bytes() > 0 and bank.tasks == ("",)


def test_on_the_command_line(voters, tiny_folder, capsys):
    folder, clip = voters
    line = ["predict", str(folder), str(clip), "--json", "--top", "99"]
    assert main([*line, "--backbone", tiny_folder]) == 0
    told = json.loads(capsys.readouterr().out)["predictions"]
    assert sum(one["probability"] for one in told) == pytest.approx(1, abs=1e-4)


def test_what_cannot_vote(voters, tiny_folder, make_artefact):
    folder, clip = voters
    path = folder / "1-lora/artefact.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, "unknown": {"threshold": 0.9}}))
    bank = AdapterBank(tiny_folder)
    with pytest.raises(ValueError, match="cannot vote.*different thresholds"):
        bank.add("", folder)
    assert bank.tasks == () and bank.classify_file(clip) == []
    bank.add("", folder / "0-linear")
    assert bank.tasks == ("",)
