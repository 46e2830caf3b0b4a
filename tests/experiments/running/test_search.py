"""The search looks at the validation split, and goes on where it stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from speechbrain_petl.experiments.__main__ import main
from speechbrain_petl.experiments.running.locks import is_running

optuna = pytest.importorskip("optuna")


def until(condition):
    """Waits for something to happen."""
    deadline = time.time() + 60
    while not condition():
        assert time.time() < deadline
        time.sleep(0.05)


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
    assert len(set(rates)) == 12, "going on does not begin again"
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


def test_points_are_of_their_kind_and_tried_once(recipes, data, tmp_path):
    yaml = recipes / "ESC50" / "hparams" / "lora.yaml"
    arguments = ["search", str(yaml), "--data_folder", str(data)]
    arguments += ["--output", str(tmp_path), "--trials", "12"]
    arguments += ["--space", "seconds=int:0:1", "--space", "lr=0.2,0.3"]
    assert main(arguments) == 0
    commands = [
        json.loads(file.read_text())["command"][-3:-1]
        for file in tmp_path.glob("trial_*/cell.json")
    ]
    assert 1 < len(commands) <= 4, "a grid of four, whatever was asked for"
    assert len(set(map(tuple, commands))) == len(commands)
    known = {
        ("--seconds=" + n, "--lr=" + r) for n in "01" for r in (".2", ".3")
    }
    for command in commands:
        assert tuple(x.replace("0.", ".") for x in command) in known


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_search_that_was_killed_goes_on(how, recipes, data, tmp_path):
    """Its run goes on in the same folder, and is never there twice."""
    yaml = recipes / "ESC50" / "hparams" / "lora.yaml"
    output = tmp_path / "out"
    command = [sys.executable, "-m", "speechbrain_petl.experiments", "search"]
    command += [str(yaml), "--data_folder", str(data), "--space", "lr=0.:1."]
    command += ["--output", str(output), "--set", "behave=wait"]
    command += ["--trials", "1"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}

    def start():
        """Starts the search."""
        return subprocess.Popen(
            command, env=environment, text=True, stderr=subprocess.PIPE
        )

    first = start()
    trial = output / "trial_0"
    until(lambda: (trial / "pid_0").exists() and is_running(trial))
    other = start()
    assert "Another search is running" in other.communicate(timeout=60)[1]
    assert other.returncode == 2
    first.send_signal(how)
    first.communicate(timeout=60)
    assert is_running(trial) == (how == signal.SIGKILL), "SIGTERM is passed on"
    second = start()
    if how == signal.SIGTERM:
        until(lambda: len((trial / "starts").read_text()) == 2)
    (trial / "go").touch()
    text = second.communicate(timeout=60)[1]
    assert second.returncode == 0, text
    assert [f.name for f in output.glob("trial_*")] == ["trial_0"]
    assert (trial / "ends").read_text() == "x"


def test_searches_of_two_settings_never_meet(recipes, data, tmp_path, capsys):
    yaml = recipes / "ESC50" / "hparams" / "lora.yaml"
    arguments = ["search", str(yaml), "--data_folder", str(data)]
    arguments += ["--output", str(tmp_path), "--trials", "1"]
    arguments += ["--space", "lr=0.0:1.0"]
    assert main(arguments) == 0
    assert main([*arguments, "--fold", "2"]) == 2
    assert "give another --output" in capsys.readouterr().err
    assert main([*arguments, "--set", "lr=0.1"]) == 2
    assert "--space and --set both have lr" in capsys.readouterr().err


def test_no_trial_finished(recipes, data, tmp_path, capsys):
    yaml = recipes / "ESC50" / "hparams" / "lora.yaml"
    arguments = ["search", str(yaml), "--data_folder", str(data)]
    arguments += ["--output", str(tmp_path), "--trials", "2"]
    arguments += ["--space", "lr=0.0:1.0", "--set", "behave=fail"]
    assert main(arguments) == 2
    assert "No trial of" in capsys.readouterr().err
    assert len(list(tmp_path.glob("trial_*/failed.json"))) == 2


def test_bad_keys(recipes, data, tmp_path, capsys):
    yaml = recipes / "ESC50" / "hparams" / "lora.yaml"
    arguments = ["search", str(yaml), "--data_folder", str(data)]
    arguments += ["--output", str(tmp_path), "--space", "lrr=0:1"]
    assert main(arguments) == 2
    assert "did you mean lr" in capsys.readouterr().err


@pytest.fixture
def losses(recipes):
    """The stand-in's runs, selected by a loss that is least at lr 0.3."""
    script = recipes / "ESC50" / "train.py"
    text = script.read_text()
    assert text.count('"valid_accuracy": 1 - (lr') == 1
    text = text.replace(
        '"valid_accuracy": 1 - (lr',
        '"selects": "loss", "direction": "min", "loss": 9.0, "valid_loss": (lr',
    )
    script.write_text(text)
    return recipes / "ESC50" / "hparams" / "lora.yaml"


def test_a_search_of_what_is_minimized(losses, data, tmp_path, capsys):
    arguments = ["search", str(losses), "--data_folder", str(data)]
    arguments += ["--space", "lr=0.1,0.3,0.9", "--output", str(tmp_path / "o")]
    assert main([*arguments, "--trials", "9"]) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == "validation loss 0.0000: --lr 0.3"
    assert main([*arguments, "--trials", "9"]) == 0, "it is told again"
    assert capsys.readouterr().out.splitlines()[-1] == said


def test_a_search_compares_one_metric(losses, data, tmp_path, capsys):
    """A search that was by accuracy does not go on by a loss."""
    arguments = ["search", str(losses), "--data_folder", str(data)]
    arguments += ["--space", "lr=0.1,0.3,0.9", "--output", str(tmp_path / "o")]
    assert main([*arguments, "--trials", "1"]) == 0
    storage = f"sqlite:///{tmp_path / 'o' / 'trials.db'}"
    study = optuna.load_study(study_name="lora", storage=storage)
    study.set_user_attr("metric", ["accuracy", "max"])
    assert main([*arguments, "--trials", "9"]) == 2
    said = capsys.readouterr().err
    assert "a search by accuracy, and a trial was selected by loss" in said


def test_a_search_of_a_yaml_of_a_folder(recipes, data, tmp_path, capsys):
    yaml = recipes / "ESC50" / "hparams" / "wav2vec2" / "lora.yaml"
    yaml.parent.mkdir()
    yaml.write_text((yaml.parents[1] / "lora.yaml").read_text())
    arguments = ["search", str(yaml), "--data_folder", str(data)]
    arguments += ["--space", "lr=0.1,0.3", "--output", str(tmp_path / "out")]
    assert main([*arguments, "--trials", "1"]) == 0
    (cell,) = (tmp_path / "out").glob("trial_*/cell.json")
    assert (
        "hparams/wav2vec2/lora.yaml" in json.loads(cell.read_text())["command"]
    )
    astray = tmp_path / "lora.yaml"
    astray.write_text("lr: 0.1\n")
    assert main(["search", str(astray), *arguments[2:]]) == 2
    assert "lora.yaml is in no recipe" in capsys.readouterr().err
