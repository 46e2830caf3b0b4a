"""A short round of the fuzzer; tools/fuzz_readers.py runs it for longer."""

import runpy
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "fuzz_readers.py"


@pytest.mark.parametrize("seed", range(4))
def test_damaged_files_are_read_or_refused(seed, tmp_path, record):
    tool = runpy.run_path(str(TOOL))
    tried, findings = tool["fuzz"](tmp_path, seed, rounds=400)
    assert not findings
    names = [name for name in tried if "refused" not in name]
    assert len(names) == 11
    for name in names:
        record(f"damaged file: {name}", tried[name])
        assert tried[f"{name}, refused"], "the damage is worth something"
