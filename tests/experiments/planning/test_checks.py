"""Names and kinds of a plan's values."""

import pytest
from speechbrain_petl.experiments.planning.checks import (
    KINDS,
    check_kinds,
    check_values,
    known_options,
    require,
)

FITS = {
    "title": ["x"],
    "paper": ["table1", None],
    "corpora": [["ESC50"], []],
    "variants": [["lora"], [{}]],
    "folds": [[1, 2], None],
    "seeds": [[0, 1]],
    "shots": [[1, None], [None], [8]],
    "draws": [[0]],
    "overrides": [{}, {"lr": 1}],
    "corpus_overrides": [{}, {"ESC50": {"lr": 1}}],
    "data_folders": [{}, {"ESC50": "/data"}],
    "search": [{"trials": 8, "space": {"lr": "log:1e-4:1e-2"}}, None],
}
FAILS = {
    "title": [None, 1],
    "paper": [1],
    "corpora": ["ESC50", [1], None],
    "variants": ["lora", None],
    "folds": [1, [], [0], ["1"], [True], [None]],
    "seeds": [None, [], [-1], [1.5], [None]],
    "shots": [None, [], [0], [True], 1, [None, "x"]],
    "draws": [[], [-1]],
    "overrides": [[], None, {1: 2}],
    "corpus_overrides": [{"ESC50": 1}, []],
    "data_folders": [{"ESC50": 1}, []],
    "search": [[], {"trials": 0}, {"space": ["lr"]}],
}


def test_every_key_is_tried():
    assert set(KINDS) == set(FITS) == set(FAILS)


@pytest.mark.parametrize("key", KINDS)
def test_kinds(key):
    for value in FITS[key]:
        check_kinds({key: value}, "plan.yaml")
    for value in FAILS[key]:
        with pytest.raises(ValueError, match=f"plan.yaml: {key} is "):
            check_kinds({key: value}, "plan.yaml")


def test_unknown_names():
    require(["a"], ["a", "b"], "letter", "file")
    with pytest.raises(
        ValueError, match="file: there is no letter 'zz'; known"
    ):
        require(["zz"], ["a", "b"], "letter", "file")


def test_options_of_a_yaml(recipes):
    found = known_options(recipes / "ESC50" / "hparams" / "lora.yaml")
    assert {"lr", "behave", "device", "precision"} <= found
    assert not {"seed", "data_folder", "output_folder"} & found


def test_values_of_a_yaml(tmp_path):
    yaml = tmp_path / "a.yaml"
    yaml.write_text("first_layer: 0\nlr: 0.1\n")
    check_values({"first_layer": -3, "lr": 0.1}, yaml, "plan")
    with pytest.raises(ValueError, match="plan: lr is a number that is not"):
        check_values({"lr": -0.1}, yaml, "plan")
