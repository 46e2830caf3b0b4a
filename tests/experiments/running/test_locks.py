"""Locks are held by a process and what it starts, and by nobody else."""

import subprocess

import pytest
from speechbrain_petl.experiments.running import locks
from speechbrain_petl.experiments.running.locks import is_running, lock_of


def test_a_lock_is_inherited(tmp_path):
    """So that a run keeps it when its runner is killed."""
    with lock_of(tmp_path) as lock:
        heir = subprocess.Popen(["sleep", "30"], pass_fds=[lock.fileno()])
    try:
        assert is_running(tmp_path)
        with lock_of(tmp_path) as other:
            assert other is None
    finally:
        heir.kill()
        heir.wait()
    assert not is_running(tmp_path)


def test_without_a_folder_nothing_runs(tmp_path):
    assert not is_running(tmp_path / "nowhere")


@pytest.mark.fault("experiments: Windows")
def test_windows_is_told_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "fcntl", None)
    with pytest.raises(ValueError, match="needs Linux or macOS"):
        is_running(tmp_path)
    with pytest.raises(ValueError, match="needs Linux or macOS"):
        with lock_of(tmp_path):
            pass
