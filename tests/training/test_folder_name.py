"""Runs of other settings have folders of other names."""

import pytest
from speechbrain_petl.training.folder_name import LONGEST, name_apart

YAML = (
    "seed: 1\nlr: 0.1\nlayers: [1]\nsource: hub/a\ndevice: cpu\n"
    "output_folder: !ref results/x/<seed>\n"
)


def folder(overrides, shaping=(), processes=1):
    """The default folder of a run."""
    named = name_apart(YAML, overrides, dict(shaping), processes)
    return named["output_folder"]


def test_only_what_changes_the_run_is_named():
    assert folder({}) == "results/x/1"
    assert folder({"lr": "1e-1", "device": "cuda"}) == "results/x/1"
    assert folder({"seed": "2"}) == "results/x/2"  # which the YAML names
    assert folder({"source": "/models/b/"}) == "results/x/1-source_b"
    assert folder({"layers": "[1, 2]"}) == "results/x/1-layers_1+2"
    shaped = folder({}, {"debug": True, "max_grad_norm": 2.0}, 2)
    assert shaped == "results/x/1-debug-max_grad_norm_2.0-processes_2"


def test_a_folder_that_is_given_is_kept():
    overrides = {"lr": "0.2", "output_folder": "mine"}
    assert name_apart(YAML, overrides, {"debug": True}, 2) == overrides


def test_long_names_are_cut_and_stay_apart():
    layers = [str(list(range(100, 200))), str([*range(100, 199), 0])]
    names = [folder({"layers": some}).split("/")[-1] for some in layers]
    assert names[0] != names[1]
    assert names[0][:LONGEST] == names[1][:LONGEST]
    assert all(len(name.encode()) <= 255 for name in names)


def test_a_yaml_without_a_folder_is_refused():
    with pytest.raises(ValueError, match="no output_folder"):
        name_apart("lr: 0.1\n", {}, {}, 1)
