"""Forked runs: each its own process, as if it had been started alone."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
import torch
from speechbrain_petl.experiments.running import warm
from speechbrain_petl.experiments.running.locks import is_running, lock_of
from speechbrain_petl.experiments.running.warm import Warm
from speechbrain_petl.utils.recipes import find_recipes

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows")


@pytest.fixture(scope="module")
def started():
    """A process that starts runs."""
    processes = Warm({"FROM_START": "yes"})
    yield processes
    processes.stop()


@pytest.fixture
def start(started, tmp_path):
    """Starts a script as a run; returns it and where its output is."""

    def run(script, folder="", **environment):
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        (place / "train.py").write_text(textwrap.dedent(script))
        command = [sys.executable, "train.py", "a.yaml", "--x=1"]
        with lock_of(place) as lock, open(place / "log", "ab") as log:
            return started.start(command, str(place), environment, log, lock)

    return run


def test_a_run_has_its_own_surroundings(start, tmp_path):
    run = start(
        """
        import os, sys
        print(__name__, sys.argv, os.getcwd(), sys.path[0])
        print(os.environ["FROM_START"], os.environ["OWN"], flush=True)
        print("to stderr", file=sys.stderr)
        """,
        OWN="mine",
    )
    assert run.wait(30) == 0 and run.poll() == 0
    said = (tmp_path / "log").read_text()
    assert f"__main__ ['train.py', 'a.yaml', '--x=1'] {tmp_path}" in said
    assert "yes mine" in said and "to stderr" in said


def test_failures_are_told_and_harm_nobody(start, tmp_path):
    assert start("raise ValueError('broken')").wait(30) == 1
    assert "ValueError: broken" in (tmp_path / "log").read_text()
    assert start("import sys; sys.exit(7)").wait(30) == 7
    assert start("import os; os.kill(os.getpid(), 9)").wait(30) == -9
    assert start("pass").wait(30) == 0


def test_a_run_can_be_ended_and_holds_its_lock(start, tmp_path):
    run = start("import time; time.sleep(60)")
    with pytest.raises(subprocess.TimeoutExpired):
        run.wait(0.1)
    assert run.poll() is None and is_running(tmp_path)
    run.terminate()
    assert run.wait(30) == -signal.SIGTERM
    run.kill()  # to no effect
    deadline = time.time() + 10
    while is_running(tmp_path):
        assert time.time() < deadline


def test_several_at_once_end_in_their_own_time(start, tmp_path):
    script = "import sys, time; time.sleep({0}); sys.exit({1})"
    runs = [start(script.format(0.3 - 0.1 * i, i), str(i)) for i in range(3)]
    assert [run.wait(30) for run in runs] == [0, 1, 2]


def test_what_a_recipe_imports_has_been_imported(start, tmp_path):
    script = "import sys; import torch; print('torch' in sys.modules)"
    assert start(script).wait(60) == 0
    script = "import sys; print('torch' in sys.modules)"
    assert start(script).wait(60) == 0
    assert (tmp_path / "log").read_text() == "True\nTrue\n"


def test_other_commands_are_started_as_usual(started, tmp_path):
    command = [sys.executable, "-c", "print('alone')"]
    with lock_of(tmp_path) as lock, open(tmp_path / "log", "ab") as log:
        run = started.start(command, str(tmp_path), {}, log, lock)
        assert isinstance(run, subprocess.Popen)
        assert run.wait(30) == 0


def test_runs_outlive_what_started_them(tmp_path, start, started):
    run = start(
        """
        import time
        time.sleep(0.5)
        open("done", "w").close()
        """
    )
    server = started._server[0]
    server.kill()
    server.wait()
    assert run.wait(30) == warm.LOST, "nobody can tell any more"
    deadline = time.time() + 10
    while not (tmp_path / "done").exists():
        assert time.time() < deadline
        time.sleep(0.05)
    assert start("pass", "again").wait(30) == 0, "another one is started"


@pytest.mark.slow
def test_forked_runs_leave_what_separate_ones_leave(
    arguments, train, started, tmp_path, monkeypatch
):
    """Bit by bit, from states that one of them has computed for all."""
    yaml = find_recipes() / "ESC50" / "hparams" / "l_adapters.yaml"
    options = ["--stored_states", "bf16", "--number_of_epochs", "2"]
    options += ["--freq_mask", "0", "--time_mask", "0"]

    def arguments_of(name, seed):
        folder = tmp_path / name
        folder.mkdir()
        return arguments("ESC50", folder, *options, "--seed", str(seed))

    cache = {"SPEECHBRAIN_PETL_CACHE": str(tmp_path / "shared")}
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    forked = []
    for seed in (1, 2):
        command = [sys.executable, "train.py", "hparams/l_adapters.yaml"]
        command += arguments_of(f"forked_{seed}", seed)
        place = tmp_path / f"forked_{seed}"
        with lock_of(place) as lock, open(place / "log", "ab") as log:
            recipe = str(yaml.parents[1])
            forked.append(
                started.start(command, recipe, cache | threads, log, lock)
            )
    for seed in (1, 2):
        own = tmp_path / f"cache_{seed}"
        monkeypatch.setenv("SPEECHBRAIN_PETL_CACHE", str(own))
        train(yaml, arguments_of(f"alone_{seed}", seed))
    assert [run.wait(120) for run in forked] == [0, 0]
    tensors = {}
    for seed in (1, 2):
        for name in ("artefact/petl.safetensors", "predictions.csv"):
            alone, fork = (
                (tmp_path / f"{kind}_{seed}" / name).read_bytes()
                for kind in ("alone", "forked")
            )
            assert alone == fork, (seed, name)
            tensors[seed, name] = alone
    assert tensors[1, name] != tensors[2, name], "the seed matters"
