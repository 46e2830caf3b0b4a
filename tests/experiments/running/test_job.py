"""One cell: its command, and why it failed."""

import json

from speechbrain_petl.experiments.__main__ import main
from speechbrain_petl.experiments.planning.plan import Cell, Variant
from speechbrain_petl.experiments.running.job import (
    Job,
    command_line,
    why_failed,
    write_failure,
)


def test_ranks_on_the_cpu_talk_by_gloo(monkeypatch, tmp_path):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    for device, expected in (("cuda", False), ("cpu", True)):
        cell = Cell("ESC50", Variant("a", "a"), 1, overrides={"device": device})
        command = command_line(cell, "data", tmp_path, n_processes=2)
        assert ("--distributed_backend=gloo" in command) == expected


def test_a_run_without_an_artefact_says_so(experiments, recipes, write_plan):
    (recipes / "ESC50" / "train.py").write_text("print('nothing done')")
    _, _, output = experiments(write_plan(["linear"], folds=[1]))
    cell = output / "ESC50/linear/seed_1234/fold_1"
    failure = json.loads((cell / "failed.json").read_text())
    assert failure["exit_code"] == 0
    assert "ended without results" in failure["reason"]


def test_a_yaml_of_a_folder_runs_and_is_reported(
    experiments, recipes, write_plan, capsys
):
    hparams = recipes / "ESC50" / "hparams"
    (hparams / "wav2vec2").mkdir()
    text = (hparams / "lora.yaml").read_text()
    (hparams / "wav2vec2" / "lora.yaml").write_text(text)
    plan = write_plan(["wav2vec2/lora"], folds=[1], shots=[None, 2])
    _, _, output = experiments(plan)
    cell = output / "ESC50/wav2vec2_lora/seed_1234/fold_1"
    assert (cell / "results.json").is_file()
    assert (cell.parents[1] / "shots_2/draw_0/seed_1234/fold_1").is_dir()
    assert main(["table", str(output)]) == 0
    assert "wav2vec2_lora" in capsys.readouterr().out


def test_why_a_cell_failed(tmp_path):
    assert why_failed(tmp_path) == "it left no message"
    job = Job("lora", str(tmp_path), "", [], "")
    for code, log, reason, told in [
        (
            1,
            "Epoch 1\nError: no\x1b[31m clips\n\n",
            "it failed",
            "no\\x1b[31m clips",
        ),
        (None, "Epoch 1", "it was ended after 2 s", "it was ended after 2 s"),
        (0, "Epoch 1", "no artefact", "no artefact"),
        (1, "", "it failed", "it failed"),
    ]:
        write_failure(job, code, log, reason)
        assert why_failed(tmp_path) == told
    (tmp_path / "failed.json").write_text("{")
    assert why_failed(tmp_path) == "it left no message"
