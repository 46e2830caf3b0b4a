"""More classes for a trained artefact."""

import json
from shutil import copytree, rmtree

import pytest
import torch
from speechbrain_petl.adapt.one_label import OneLabel
from speechbrain_petl.adapt.prototypes import unpack
from speechbrain_petl.adapt.session import train_folder
from speechbrain_petl.artefacts.open import Artefact


@pytest.fixture
def halves(sounds_folder, tmp_path):
    """Two folders of two classes each."""
    classes = sorted(p for p in sounds_folder.iterdir() if p.is_dir())
    for number, folder in enumerate(classes):
        copytree(folder, tmp_path / f"half{number // 2}" / folder.name)
    return tmp_path / "half0", tmp_path / "half1"


def test_new_classes_beside_the_old_ones(request_for, halves, tmp_path):
    first, second = halves
    old = train_folder(request_for(data_folder=str(first)), str)
    said = []
    new = train_folder(
        request_for(
            data_folder=str(second),
            artefact=str(old.artefact),
            output=str(tmp_path / "grown"),
        ),
        said.append,
    )
    before, after = (Artefact.open(x.artefact) for x in (old, new))
    assert after.labels[:2] == before.labels and len(after.labels) == 4
    assert set(after.labels[2:]) == {p.name for p in second.iterdir()}
    after.load(after.backbone(request_for().source))  # it is whole
    training = after.metadata["training"]
    assert training["corpus"] == "half0 and half1"
    assert training["data"]["folder"] == "half1", "of the clips trained on"
    # What was adapted stays; the head is another one.
    modules = [
        a.load(a.backbone(request_for().source)) for a in (before, after)
    ]
    for name, tensor in modules[0].encoder.delta().items():
        assert torch.equal(tensor, modules[1].encoder.delta()[name])
    assert modules[1].classifier.out_features == 4

    report = json.loads((tmp_path / "grown/report.json").read_text())
    told = report["continued"]
    assert told["n_old"] == 2 and told["n_stored"] >= 2
    assert 0 <= told["after"] <= 1 and 0 <= told["before"] <= 1
    after_told = OneLabel().shown(told["after"])
    assert any(f"{after_told} now" in line for line in said)
    assert (
        "classes that were there before"
        in (tmp_path / "grown/report.html").read_text()
    )
    # The stored clips of all four classes go on with the new artefact.
    stored = after.metadata["prototypes"]["train"]
    _, targets = unpack(stored, 4, OneLabel())
    assert set(targets.tolist()) == {0, 1, 2, 3}


def test_one_new_class_is_enough(request_for, halves, tmp_path):
    first, second = halves
    old = train_folder(request_for(data_folder=str(first)), str)
    name, *others = sorted(p.name for p in second.iterdir())
    for other in others:
        rmtree(second / other)
    with pytest.raises(ValueError, match="Two classes are needed"):
        train_folder(
            request_for(data_folder=str(second), output=str(tmp_path / "new")),
            str,
        )
    new = train_folder(
        request_for(
            data_folder=str(second),
            artefact=str(old.artefact),
            output=str(tmp_path / "grown"),
        ),
        str,
    )
    assert Artefact.open(new.artefact).labels[2:] == [name]
    report = json.loads((tmp_path / "grown/report.json").read_text())
    assert report["unknown"]["threshold"] > 0


def test_an_artefact_without_stored_clips(request_for, make_artefact, tmp_path):
    make_artefact(tmp_path / "a", "linear")
    with pytest.raises(ValueError, match="holds no stored clips"):
        train_folder(request_for(artefact=str(tmp_path / "a")), str)
