"""What is no file of tensors is named."""

import struct

import pytest
from speechbrain_petl.artefacts.header import LONGEST_HEADER, read_shapes


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        struct.pack("<Q", LONGEST_HEADER + 1) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 8) + b'{"a": 1}',
        struct.pack("<Q", 9) + b'{"a": {}}',
        struct.pack("<Q", 4) + b"\xff\xff\xff\xff",
    ],
)
def test_what_is_no_safetensors_file_is_named(tmp_path, content):
    path = tmp_path / "petl.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="petl.safetensors' is no safetensors"):
        read_shapes(path)
