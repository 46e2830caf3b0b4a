"""A short round of the fuzzer; tools/fuzz_readers.py runs it for longer."""

import gc
import os
import pickle
import runpy
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
TOOL = TOOLS / "fuzz_readers.py"
STRANGERS = TOOLS / "fuzz_artefacts.py"


@pytest.mark.parametrize("seed", range(4))
def test_damaged_files_are_read_or_refused(seed, tmp_path, record):
    tool = runpy.run_path(str(TOOL))
    tried, findings = tool["fuzz"](tmp_path, seed, rounds=400)
    assert not findings
    names = [name for name in tried if "refused" not in name]
    assert len(names) == 14
    for name in names:
        record(f"damaged file: {name}", tried[name])
        assert tried[f"{name}, refused"], "the damage is worth something"


@pytest.mark.parametrize("seed", range(2))
def test_artefacts_that_ask_for_more_are_refused(seed, tmp_path, record):
    tool = runpy.run_path(str(STRANGERS))
    tried, findings = tool["fuzz"](tmp_path, seed, rounds=150)
    assert not findings
    for name in [name for name in tried if "refused" not in name]:
        change = name.removeprefix("strange artefact: ")
        record(f"strange artefact: {change}", tried[name])
    assert tried["strange artefact: name, refused"] > 30


def test_the_watch_sees_what_is_executed(tmp_path):
    watch = runpy.run_path(str(STRANGERS))["Watch"]()
    acts = {
        "exec": lambda: exec("1"),
        "open": lambda: open(tmp_path / "a", "w").close(),
        "os.system": lambda: os.system("true"),
        "import": lambda: __import__("this"),
        "subprocess.Popen": lambda: subprocess.run(["true"]),
        "socket.__new__": lambda: socket.socket().close(),
        "pickle.find_class": lambda: pickle.loads(pickle.dumps(Path)),
    }
    for event, act in acts.items():
        watch.seen.clear()
        with watch:
            act()
        assert any(one.startswith(event) for one in watch.seen), event
    watch.seen.clear()
    (tmp_path / "b").write_text("")
    with watch:
        (tmp_path / "b").read_text()
    assert not watch.seen


def test_the_watch_does_not_see_what_others_left_behind(tmp_path):
    """A temporary folder of another test may be garbage by now."""
    watch = runpy.run_path(str(STRANGERS))["Watch"]()
    often = gc.get_threshold()
    left = tempfile.TemporaryDirectory(dir=tmp_path)
    left.itself = left
    gc.set_threshold(1)
    try:
        with watch:
            del left
            assert [[] for _ in range(1000)]
        assert not watch.seen and gc.isenabled()
    finally:
        gc.set_threshold(*often)
    assert gc.collect() and not list(tmp_path.iterdir())
