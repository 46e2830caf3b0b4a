"""How much audio is taken."""

import numpy as np
import pytest
import soundfile
from speechbrain_petl.inference.serve.limits import Limits


@pytest.mark.parametrize(
    "limits, said",
    [
        (
            Limits(megabytes=0.01),
            r"has 0\.0 MB, and more than 0\.01 MB are not",
        ),
        (Limits(seconds=0.5), r"lasts 1\.0 s, and more than 0\.5 s are not"),
    ],
)
def test_large_and_long_files_are_refused(limits, said, tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(16000), 16000)
    with pytest.raises(ValueError, match=said):
        limits.check(str(tmp_path / "a.wav"))
    Limits().check(str(tmp_path / "a.wav"))


def test_many_channels_are_many_samples(tmp_path):
    path = str(tmp_path / "a.wav")
    soundfile.write(path, np.zeros((800, 250)), 8000)
    with pytest.raises(ValueError, match="has 250 channels at 8000 Hz"):
        Limits(seconds=0.2).check(path)


@pytest.mark.parametrize("name", ["a.wav", "a.raw", "a.mp3"])
def test_what_is_no_audio_is_told_by_the_reader(name, tmp_path):
    (tmp_path / name).write_bytes(b"no audio")
    with pytest.raises(ValueError, match="cannot be read as audio"):
        Limits().check(str(tmp_path / name))


def test_windows_are_counted():
    Limits(windows=10).check_windows(10.0, 1.0)
    with pytest.raises(ValueError, match="makes 1,000 windows of 10.0 s"):
        Limits(windows=10).check_windows(10.0, 0.01)


def test_limits_that_cannot_be_meant():
    for name in ("megabytes", "seconds", "windows"):
        for value in (0, -1, float("nan")):
            with pytest.raises(ValueError, match=f"The limit of {name} has to"):
                Limits(**{name: value})
