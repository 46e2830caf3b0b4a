"""A process of a data-parallel run; see also test_killed."""

import ctypes
import os
import sys

import pytest
from speechbrain_petl.experiments.running import torchrun_worker


@pytest.fixture
def asked(monkeypatch):
    """What the system was asked for, which these tests do not want done."""
    calls = []

    class Library:
        def __init__(self, name):
            pass

        def prctl(self, *arguments):
            calls.append(arguments)

    monkeypatch.setattr(ctypes, "CDLL", Library)
    return calls


def test_it_runs_the_script_as_main(tmp_path, monkeypatch, capsys, asked):
    script = tmp_path / "train.py"
    script.write_text("import sys; print(__name__, *sys.argv[1:])")
    monkeypatch.setattr(sys, "argv", ["worker", str(script), "a.yaml", "--x"])
    torchrun_worker.main()
    assert capsys.readouterr().out == "__main__ a.yaml --x\n"


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_it_dies_with_its_parent(tmp_path, monkeypatch, asked):
    (tmp_path / "train.py").write_text("")
    argv = ["worker", str(tmp_path / "train.py")]
    monkeypatch.setattr(sys, "argv", argv)
    torchrun_worker.main()
    assert asked == [(torchrun_worker.PR_SET_PDEATHSIG, 9)]
    monkeypatch.setattr(sys, "argv", argv)
    monkeypatch.setattr(os, "getppid", lambda: 1)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    with pytest.raises(SystemExit, match="torchrun is gone already"):
        torchrun_worker.main()
