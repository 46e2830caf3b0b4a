"""Shards: whole or not there, and damage is seen."""

import os

import pytest
import torch
from speechbrain_petl.dataio.shards import Shard, shrink, write_shard


def test_tensors_come_back(tmp_path):
    tensors = {"a": torch.rand(3, 2), "b": torch.rand(4).bfloat16()}
    shard = Shard(write_shard(tmp_path / "kind", tensors))
    for name, tensor in tensors.items():
        assert shard.is_whole(name)
        assert shard.read(name).dtype == tensor.dtype
        assert torch.equal(shard.read(name), tensor)
    assert [f.suffix for f in (tmp_path / "kind").iterdir()] == [".safetensors"]


def test_a_changed_byte_is_seen(tmp_path):
    file = write_shard(tmp_path, {"a": torch.ones(100)})
    content = bytearray(file.read_bytes())
    content[-7] ^= 1
    file.write_bytes(content)
    assert not Shard(file).is_whole("a")
    file.write_bytes(content[:-7])
    with pytest.raises(ValueError, match="is damaged"):
        Shard(file)
    file.unlink()
    with pytest.raises(OSError):
        Shard(file)


def test_the_least_recently_used_go_first(tmp_path):
    files = [
        write_shard(tmp_path / f"k{i}", {"a": torch.ones(1000)})
        for i in range(4)
    ]
    for i, file in enumerate(files):
        os.utime(file, (i, i))
    size = files[0].stat().st_size
    shrink(tmp_path, 2 * size, keep=[files[0]])
    assert [file.exists() for file in files] == [True, False, False, True]
