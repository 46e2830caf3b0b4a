"""Files of unknown origin are read only if they are plain and not too large."""

import os
import tracemalloc

import pytest
from speechbrain_petl.utils.regular_files import read_regular


def test_a_small_file_takes_little_memory(tmp_path):
    """Whatever its size may be: room is made for what there is."""
    file = tmp_path / "a"
    file.write_bytes(b"1234")
    tracemalloc.start()
    assert read_regular(file, longest=10**9) == b"1234"
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10**6


def test_what_is_no_regular_file_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    os.mkfifo(tmp_path / "fifo")
    for name, reason in {
        "link": "is a symbolic link",
        "fifo": "a regular file should be",
        ".": "a regular file should be",
    }.items():
        with pytest.raises(ValueError, match=reason):
            read_regular(tmp_path / name, longest=10)
    assert read_regular(tmp_path / "link", longest=10, links=True) == b"1"
    with pytest.raises(ValueError, match="has 1 bytes, more than the 0"):
        read_regular(tmp_path / "a", longest=0)
