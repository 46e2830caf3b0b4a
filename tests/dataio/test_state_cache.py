"""A cache of states that many fill at once, and that survives what befalls it."""

import multiprocessing
import os
import signal
import threading
import time

import pytest
import torch
from speechbrain_petl.dataio import state_cache
from speechbrain_petl.dataio.state_cache import StateCache

KIND = {"cut": "layer 1"}
KEYS = [f"clip{i}" for i in range(40)]


def states(key):
    """The states of a clip."""
    return torch.full((3,), float(key.removeprefix("clip")))


class Counting:
    """Computes states, and notes of which clips."""

    def __init__(self, pause=0.0):
        self.keys, self.pause = [], pause

    def __call__(self, keys):
        for key in keys:
            time.sleep(self.pause)
            self.keys.append(key)
            yield key, states(key)


def check(cache, keys=KEYS):
    """Every clip has its own states."""
    for key in keys:
        assert torch.equal(cache.read(key), states(key))


def test_what_is_there_is_not_computed_again(tmp_path):
    first = Counting()
    assert StateCache(KIND, 1.0, tmp_path).fill(KEYS[:30], first) == 30
    again = Counting()
    cache = StateCache(KIND, 1.0, tmp_path)
    assert cache.fill(KEYS, again) == 10
    assert sorted(again.keys) == sorted(KEYS[30:])
    check(cache)
    files = list(tmp_path.glob("*/*.safetensors"))
    assert len(files) <= 8, "clips share files"
    other = Counting()
    assert StateCache({"cut": "layer 2"}, 1.0, tmp_path).fill(KEYS, other) == 40


def test_several_at_once_share_the_work(tmp_path):
    counts = [Counting(0.005) for _ in range(4)]
    caches = [StateCache(KIND, 1.0, tmp_path) for _ in counts]
    threads = [
        threading.Thread(target=cache.fill, args=(KEYS, count))
        for cache, count in zip(caches, counts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [key for count in counts for key in count.keys]
    assert sorted(done) == sorted(KEYS), "each clip once"
    for cache in caches:
        check(cache)


def _fill_and_die(folder):
    """Computes until it is killed in the middle of a block."""
    cache = StateCache(KIND, 1.0, folder)

    def compute(keys):
        for i, key in enumerate(keys):
            if i == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            yield key, states(key)

    cache.fill(KEYS, compute)


def test_a_killed_process_leaves_its_blocks_to_others(tmp_path):
    process = multiprocessing.get_context("fork").Process(
        target=_fill_and_die, args=(tmp_path,)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    cache = StateCache(KIND, 1.0, tmp_path)
    assert cache.fill(KEYS, Counting()) == 40
    check(cache)


def test_damaged_files_are_computed_again(tmp_path, caplog):
    StateCache(KIND, 1.0, tmp_path).fill(KEYS, Counting())
    files = sorted(tmp_path.glob("*/*.safetensors"))
    content = bytearray(files[0].read_bytes())
    content[-1] ^= 1
    files[0].write_bytes(content)
    files[1].write_bytes(b"nothing")
    cache = StateCache(KIND, 1.0, tmp_path)
    assert 0 < cache.fill(KEYS, Counting()) < 40
    check(cache)
    assert caplog.text.count("is damaged and is computed again") == 2
    assert StateCache(KIND, 1.0, tmp_path).fill(KEYS, Counting()) == 0


def test_the_size_is_bounded(tmp_path):
    old = StateCache({"cut": "old"}, 7e-6, tmp_path)
    old.fill(KEYS, Counting())
    for file in old.folder.glob("*.safetensors"):
        os.utime(file, (1, 1))
    cache = StateCache(KIND, 7e-6, tmp_path)
    cache.fill(KEYS, Counting())
    check(cache)
    check(old), "what is open stays"
    assert not all(s.file.exists() for s in old._shards.values())
    with pytest.raises(ValueError, match="of 40 clips take .* raise it"):
        StateCache(KIND, 1e-7, tmp_path / "b").fill(KEYS, Counting())


@pytest.mark.parametrize("gb", [0.0, 1.0])
def test_without_a_disk_states_stay_in_memory(tmp_path, gb, caplog):
    place = tmp_path / "file"
    place.write_text("no folder")
    cache = StateCache(KIND, gb, place)
    assert cache.fill(KEYS, Counting()) == 40
    check(cache)
    assert ("are kept in memory" in caplog.text) == (gb > 0)


def test_large_states_go_into_several_files(tmp_path, monkeypatch):
    monkeypatch.setattr(state_cache, "SHARD_BYTES", 30)
    cache = StateCache(KIND, 1.0, tmp_path)
    cache.fill(KEYS, Counting())
    assert len(list(cache.folder.glob("*.safetensors"))) > 8
    check(cache)
