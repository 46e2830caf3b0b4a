"""What cannot be used of audio is found, named, and costs little."""

import numpy as np
import pytest
import soundfile
from speechbrain_petl.dataio.audio import look_at, read_audio

from speechbrain.dataio.preprocess import AudioNormalizer

# Format, encoding and ending of files whose truncation must be noticed
FORMATS = [
    ("WAV", "PCM_16", "wav"),
    ("WAVEX", "PCM_24", "wav"),
    ("WAV", "FLOAT", "wav"),
    ("WAV", "IMA_ADPCM", "wav"),
    ("RF64", "PCM_16", "wav"),
    ("W64", "PCM_16", "w64"),
    ("AIFF", "PCM_16", "aiff"),
    ("AIFF", "FLOAT", "aifc"),
    ("AU", "PCM_16", "au"),
    ("CAF", "PCM_16", "caf"),
    ("CAF", "ALAC_16", "caf"),
    ("NIST", "PCM_16", "sph"),
    ("FLAC", "PCM_16", "flac"),
    ("OGG", "VORBIS", "ogg"),
    ("OGG", "OPUS", "opus"),
    ("MP3", "MPEG_LAYER_III", "mp3"),
    ("MP3", "MPEG_LAYER_III", "wav"),  # whatever it is called
]
NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, 80000)


@pytest.fixture
def normalizer():
    """To 16 kHz."""
    return AudioNormalizer(16000)


@pytest.mark.parametrize("format, subtype, ending", FORMATS)
def test_whole_files_can_be_used(format, subtype, ending, tmp_path, normalizer):
    path = tmp_path / f"a.{ending}"
    tone = 0.3 * np.sin(np.arange(80000) * 0.1)
    for wave in (tone, NOISE):  # which compress differently
        soundfile.write(path, wave, 16000, format=format, subtype=subtype)
        duration, reason = look_at(path)
        assert reason is None and duration == pytest.approx(5, abs=0.1)
        found = read_audio(path, normalizer)
        assert len(found) == pytest.approx(80000, abs=1600)


@pytest.mark.parametrize("format, subtype, ending", FORMATS)
@pytest.mark.parametrize("share", [0.98, 0.5, 0.2])
def test_truncated_files_are_found_before_training(
    format, subtype, ending, share, tmp_path, normalizer, record
):
    record(f"truncated audio: {format.lower()}, {subtype.lower()}")
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, NOISE, 16000, format=format, subtype=subtype)
    data = path.read_bytes()
    if format == "MP3":  # of which up to four frames may be missing
        share = min(share, 0.9)
    path.write_bytes(data[: int(len(data) * share)])
    assert look_at(path)[1] in ("cut off", "unreadable")
    with pytest.raises(ValueError, match="cut off|cannot be read") as error:
        read_audio(path, normalizer)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    "value, reason, message",
    [
        (np.nan, "not finite", "nan or infinite"),
        (-np.inf, "not finite", "nan or infinite"),
        (1e300, "not finite", "nan or infinite"),
        (3e29, "out of range", "beyond 2\\^31, where full scale is 1"),
        (-3e29, "out of range", "beyond 2\\^31"),
    ],
)
@pytest.mark.fault("audio with infinite or enormous samples")
def test_samples_that_are_no_sound(
    value, reason, message, tmp_path, normalizer
):
    path = str(tmp_path / "a.wav")
    wave = np.zeros(30000)
    wave[20000] = value
    soundfile.write(path, wave, 16000, "DOUBLE")
    assert look_at(path)[1] == reason
    with pytest.raises(ValueError, match=f"a.wav.*{message}"):
        read_audio(path, normalizer)


def test_unscaled_integers_are_loud_but_fine(tmp_path, normalizer):
    path = str(tmp_path / "a.wav")
    soundfile.write(path, np.full(100, -(2.0**31)), 16000, "FLOAT")
    assert look_at(path)[1] is None
    assert read_audio(path, normalizer).abs().max() == 2**31


@pytest.mark.parametrize("rate", [1, 999, 1_000_001, 2**31 - 1])
@pytest.mark.fault("audio with an impossible sample rate")
def test_impossible_sample_rates(rate, tmp_path, normalizer):
    path = str(tmp_path / "a.wav")
    soundfile.write(path, np.zeros(100), rate)
    assert look_at(path)[1] == "sample rate"
    with pytest.raises(ValueError, match=f"a.wav' has a sample rate of {rate}"):
        read_audio(path, normalizer)


@pytest.mark.parametrize(
    "name, content, reason",
    [
        ("a.raw", b"\0" * 4000, "unreadable"),
        ("a.wav", b"", "unreadable"),
        ("a.mp3", b"not audio" * 99, "unreadable"),
    ],
)
def test_what_is_not_audio(name, content, reason, tmp_path, normalizer):
    (tmp_path / name).write_bytes(content)
    assert look_at(tmp_path / name)[1] == reason
    with pytest.raises(ValueError, match=f"{name}' cannot be read as audio"):
        read_audio(tmp_path / name, normalizer)


def test_a_format_that_hides_truncation(tmp_path, normalizer):
    soundfile.write(tmp_path / "a.voc", NOISE, 16000)
    assert look_at(tmp_path / "a.voc")[1] == "unsupported"
    with pytest.raises(ValueError, match="convert it to wav or flac"):
        read_audio(tmp_path / "a.voc", normalizer)


def test_what_is_missing_or_empty(tmp_path, normalizer):
    with pytest.raises(ValueError, match="There is no file '.*gone.wav'"):
        read_audio(tmp_path / "gone.wav", normalizer)
    soundfile.write(tmp_path / "a.wav", np.zeros(0), 16000)
    assert look_at(tmp_path / "a.wav") == (0.0, "empty")
    with pytest.raises(ValueError, match="it has no sample"):
        read_audio(tmp_path / "a.wav", normalizer)
