"""Blueprint: an artefact's YAML as plans, and what it may not ask for."""

import json

import pytest
from speechbrain_petl.artefacts.blueprint import Blueprint
from torch import nn


@pytest.fixture(scope="module")
def files(make_artefact, tmp_path_factory):
    """The YAML and the metadata of an artefact."""
    folder = tmp_path_factory.mktemp("artefact") / "linear"
    make_artefact(folder, "linear")
    metadata = json.loads((folder / "artefact.json").read_text())
    return (folder / "hyperparams.yaml").read_text(), metadata


def test_what_it_builds_fits_the_metadata(files):
    blueprint = Blueprint(files[0], "x.yaml", files[1])
    assert blueprint.options()["max_length"] == 48
    assert not {"source", "revision"} & set(blueprint.options())
    head = blueprint.build("classifier", nn.Identity())
    (shape,) = {m.weight.shape for m in head.modules() if hasattr(m, "weight")}
    assert shape[0] == len(files[1]["labels"])


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("\nclassifier:", "\nhead:", "there is no key 'classifier'"),
        ("!ref <backbone>", "!ref <nothing>", "a key that is not there"),
        ("!ref <backbone>", "!ref <encoder>", "'encoder' refers to itself"),
        ("!ref <backbone>", "!ref <backbone> + 1", "should be '!ref <key>'"),
        ("torch.nn.LogSoftmax", "torch.nn.Softmax", "'posteriors' is not what"),
        ("\nmodules:", "\nx: !apply:os.getcwd {}\n\nmodules:", "getcwd"),
    ],
)
def test_refusals_name_file_and_cause(files, old, new, words):
    assert old in files[0]
    text = files[0].replace(old, new)
    with pytest.raises(ValueError, match=f"^'x.yaml': .*{words}"):
        Blueprint(text, "x.yaml", files[1])


def test_the_tail_belongs_to_these_tensors(files):
    metadata = {**files[1], "tensors": {"sha256": "0" * 64, "bytes": 8}}
    with pytest.raises(ValueError, match="'pretrainer' is not what every"):
        Blueprint(files[0], "x.yaml", metadata)
