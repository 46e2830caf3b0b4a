"""The search looks at the validation split, and goes on where it stopped."""

import json

import pytest
from speechbrain_petl.experiments.__main__ import main
from speechbrain_petl.experiments.search import read_space

optuna = pytest.importorskip("optuna")


def test_a_search_finds_goes_on_and_never_looks_at_the_test(
    recipes, data, tmp_path, capsys
):
    """The stand-in's validation is best at 0.3; its test grows with lr."""
    yaml = recipes / "ESC50" / "hparams" / "lora.yaml"
    arguments = ["search", str(yaml), "--data_folder", str(data)]
    arguments += ["--space", "lr=0.0:1.0", "--output", str(tmp_path / "out")]
    assert main([*arguments, "--trials", "4"]) == 0
    capsys.readouterr()
    assert main([*arguments, "--trials", "12"]) == 0
    best = float(capsys.readouterr().out.split("--lr ")[1])
    folders = list((tmp_path / "out").glob("trial_*"))
    assert len(folders) == 12, "four were there already"
    rates = [
        json.loads((f / "results.json").read_text())["hyperparameters"]["lr"]
        for f in folders
    ]
    assert best == min(rates, key=lambda rate: abs(rate - 0.3))
    assert main([*arguments, "--trials", "12"]) == 0
    assert len(list((tmp_path / "out").glob("trial_*"))) == 12


@pytest.mark.fault("search: trial killed")
def test_a_trial_that_was_killed_is_run_anew(recipes, data, tmp_path):
    yaml = recipes / "ESC50" / "hparams" / "lora.yaml"
    storage = f"sqlite:///{tmp_path / 'trials.db'}"
    study = optuna.create_study(study_name="lora", storage=storage)
    killed = study.ask()
    killed.suggest_float("lr", 0.0, 1.0)
    arguments = ["search", str(yaml), "--data_folder", str(data)]
    arguments += ["--space", "lr=0.0:1.0", "--output", str(tmp_path)]
    assert main([*arguments, "--trials", "2"]) == 0
    trials = optuna.load_study(study_name="lora", storage=storage).trials
    assert trials[0].state.name == "FAIL"
    assert trials[1].params == killed.params, "the same point again"
    assert [t.state.name for t in trials[1:]] == ["COMPLETE"] * 2


def test_bad_spaces_and_keys(recipes, data, tmp_path, capsys):
    for text in ("lr=1:0", "lr=log:0:1", "lr", "lr=x:y", "lr=1"):
        with pytest.raises(ValueError, match="KEY=LOW:HIGH"):
            read_space([text])
    yaml = recipes / "ESC50" / "hparams" / "lora.yaml"
    arguments = ["search", str(yaml), "--data_folder", str(data)]
    arguments += ["--output", str(tmp_path), "--space", "lrr=0:1"]
    assert main(arguments) == 2
    assert "did you mean lr" in capsys.readouterr().err
