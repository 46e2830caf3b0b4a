"""How a recipe begins, short of its training."""

import sys

import pytest
import torch
from speechbrain_petl.training import launch


def test_the_main_process_raises_and_the_others_end(monkeypatch):
    def fail():
        raise ValueError("the disk is full")

    def receive(values):
        values[0] = True

    with pytest.raises(ValueError, match="the disk is full"):
        launch.on_main(fail)
    monkeypatch.setattr(launch, "if_main_process", lambda: False)
    launch.on_main(fail)  # which is not called
    distributed = torch.distributed
    monkeypatch.setattr(distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(distributed, "broadcast_object_list", receive)
    with pytest.raises(SystemExit) as end:
        launch.on_main(fail)
    assert end.value.code == 1


def test_sources_are_kept_beside_the_run(tmp_path, monkeypatch):
    script, run = tmp_path / "train.py", tmp_path / "run"
    script.write_text("print('hello')\n")
    run.mkdir()
    (run / "launch.py").write_text("SpeechBrain's copy")
    monkeypatch.setattr(sys, "argv", [str(script)])
    text = "lr: 0.1\nhalf: !ref <lr>\n"
    launch.keep_sources(str(run), "hparams/x.yaml", text, "lr: 0.2")
    kept = (run / "hyperparams.yaml").read_text()
    assert "lr: 0.2\nhalf: 0.2" in kept and "hparams/x.yaml" in kept
    assert (run / "train.py").read_text() == script.read_text()
    assert not (run / "launch.py").exists()
    # A run in the recipe's own folder does not copy the script onto itself.
    launch.keep_sources(str(tmp_path), "hparams/x.yaml", text, "")
    assert script.read_text() == "print('hello')\n"
