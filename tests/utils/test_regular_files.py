"""Files of unknown origin."""

import os
import resource

import pytest
from speechbrain_petl.utils.regular_files import read_regular


@pytest.mark.skipif(
    not os.path.exists("/proc/self/statm"), reason="counts memory by Linux"
)
def test_a_small_file_takes_little_memory(tmp_path):
    """However large it might be."""
    (tmp_path / "a").write_bytes(b"1234")
    before = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + 2**30, before[1]))
    try:
        assert read_regular(tmp_path / "a", 2**34) == b"1234"
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_what_is_no_regular_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"1234")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for name in ("pipe", "link", "."):
        with pytest.raises(ValueError, match="regular file|symbolic link"):
            read_regular(tmp_path / name, 9)
    assert read_regular(tmp_path / "link", 9, links=True) == b"1234"
    with pytest.raises(ValueError, match="4 bytes, more than the 3"):
        read_regular(tmp_path / "file", 3)
