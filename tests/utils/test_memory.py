"""The memory that is left, as the kernel and a container's limit say."""

import pytest
from speechbrain_petl.utils import memory


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A kernel's file, and no container."""
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    (tmp_path / "meminfo").write_text(
        "MemTotal:       100 kB\nMemAvailable:    40 kB\n"
    )
    return tmp_path


def test_the_kernels_estimate(files):
    assert memory.available_memory() == 40 * 1024


@pytest.mark.parametrize(
    ("limit", "left"), [("max", 40960), ("15000", 5000), ("9000", 0)]
)
def test_a_containers_limit(files, limit, left):
    (files / "memory.max").write_text(f"{limit}\n")
    (files / "memory.current").write_text("10000\n")
    assert memory.available_memory() == left


@pytest.mark.parametrize("text", [None, "MemTotal: 100 kB\n"])
def test_nothing_is_known(files, text):
    (files / "meminfo").unlink()
    if text is not None:
        (files / "meminfo").write_text(text)
    assert memory.available_memory() == 0
