"""The help of a recipe's command line lists the keys of its YAML."""

from pathlib import Path

import pytest
from speechbrain_petl.training.help_text import help_text, list_keys
from speechbrain_petl.training.launch import start

YAML = Path(__file__).parents[2] / "recipes/ESC50/hparams/adapter_hou_par.yaml"


def test_keys_stand_there_with_values_and_comments():
    found = {key: (value, says) for key, value, says in list_keys(str(YAML))}
    assert found["data_folder"] == ("(required)", "e.g., /path/to/ESC-50")
    assert found["lr"][0] == "0.005"
    assert found["pooling"] == ("mean", "of all tokens; or cls, cls_dist")
    assert found["train_manifest"][0] == "<manifest_folder>/train.json"
    assert "backbone" not in found and "__set_seed" not in found


def test_help_is_printed_and_nothing_begins(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        start([str(YAML), "--help"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert "--reduction_rate 64" in said and "--precision auto" in said
    assert "options of SpeechBrain:" in said and "--debug_batches" in said
    assert all(len(line) < 400 for line in said.splitlines())
    assert not list(tmp_path.iterdir())


def test_without_a_yaml_it_says_how_to_see_the_keys():
    assert "Give a\nYAML before --help" in help_text(["-h"])
    with pytest.raises(ValueError, match="no YAML file absent.yaml"):
        help_text(["absent.yaml", "--help"])
