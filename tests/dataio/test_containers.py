"""The size that a format states, as its standard writes it."""

import pytest
from speechbrain_petl.dataio.containers import is_cut_off, stated_size

NIST = (
    b"NIST_1A\n   1024\nchannel_count -i 2\nsample_n_bytes -i 2\n"
    b"sample_coding -s3 pcm\nsample_count -i 100\nend_head\n"
)


@pytest.mark.parametrize(
    "start, size",
    [
        (b"RIFF" + (92).to_bytes(4, "little") + b"WAVE", 100),
        (b"RIFX" + (92).to_bytes(4, "big") + b"WAVE", 100),
        (b"FORM" + (92).to_bytes(4, "big") + b"AIFC", 100),
        (b"RF64" + b"\xff" * 4 + b"WAVEds64" + bytes(4), None),
        (
            b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0"
            + (2**33).to_bytes(8, "little"),
            2**33 + 8,
        ),
        (b"riff" + bytes(12) + (2**33).to_bytes(8, "little"), 2**33),
        (b".snd" + (24).to_bytes(4, "big") + (76).to_bytes(4, "big"), 100),
        (NIST, 1024 + 400),
        (NIST.replace(b"-s3 pcm", b"-s26 pcm,embedded-shorten-v2.00"), None),
        (NIST.replace(b"sample_count", b"samples"), None),
        # Left open by a writer to a pipe
        (b"RIFF\xff\xff\xff\xffWAVE", None),
        (b"RIFF\0\0\0\0WAVE", None),
        (b".snd\0\0\0\x18\xff\xff\xff\xff", None),
        (b"fLaC", None),
        (b"", None),
    ],
)
def test_stated_size(start, size):
    assert stated_size(start) == size


def test_a_file_of_open_length_is_not_cut_off(tmp_path):
    file = tmp_path / "a.wav"
    file.write_bytes(b"RIFF\xff\xff\xff\xffWAVE")
    assert not is_cut_off(str(file))


def test_caf(tmp_path):
    """The last chunk may run up to the end of the file."""
    file = tmp_path / "a.caf"
    head = b"caff\0\x01\0\0desc" + (2).to_bytes(8, "big") + b"xx"
    for data, cut in [
        (b"data" + b"\xff" * 8 + b"xyz", False),
        (b"data" + (3).to_bytes(8, "big") + b"xyz", False),
        (b"data" + (4).to_bytes(8, "big") + b"xyz", True),
        (b"data\0", True),
        (b"free" + b"\xff" * 8, True),
        (b"data" + (3).to_bytes(8, "big") + b"xyz\0", False),  # padded
        (b"", True),
    ]:
        file.write_bytes(head + data)
        assert is_cut_off(str(file)) == cut, data
