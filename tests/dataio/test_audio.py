"""Au files, as GTZAN's: read, or known to be cut off."""

import numpy as np
import pytest
import soundfile
from speechbrain_petl.dataio.audio import look_at, read_audio

from speechbrain.dataio.preprocess import AudioNormalizer


@pytest.fixture
def au(tmp_path):
    """A second of noise at 22.05 kHz."""
    wave = 0.1 * np.random.default_rng(0).normal(size=22050)
    soundfile.write(tmp_path / "a.au", wave, 22050, subtype="PCM_16")
    return tmp_path / "a.au"


def test_an_au_file_is_read(au):
    assert look_at(str(au)) == (1.0, None)
    assert read_audio(str(au), AudioNormalizer(16000)).shape == (16000,)


def test_an_au_file_that_is_cut_off_is_refused(au):
    au.write_bytes(au.read_bytes()[:-1000])
    assert look_at(str(au)) == (0.0, "cut off")
    with pytest.raises(ValueError, match="a.au' is cut off"):
        read_audio(str(au), AudioNormalizer(16000))


@pytest.mark.parametrize("stated", [0xFFFFFFFF, 44100 + 24])
def test_an_au_file_of_another_programs_header_is_whole(au, stated):
    """Of unknown size, as a pipe leaves it; the file's size for the data's."""
    data = bytearray(au.read_bytes())
    data[8:12] = stated.to_bytes(4, "big")
    au.write_bytes(data)
    assert look_at(str(au)) == (1.0, None)
