"""Windows of long recordings, and reading a part of a file."""

import json

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import (
    given,
    strategies as st,
)
from speechbrain_petl.dataio.audio import read_audio
from speechbrain_petl.dataio.cache import WaveformCache
from speechbrain_petl.dataio.datasets import make_datasets
from speechbrain_petl.dataio.segments import segments, window_starts

from speechbrain.dataio.encoder import CategoricalEncoder
from speechbrain.dataio.preprocess import AudioNormalizer


@given(st.integers(1, 10**4), st.integers(1, 10**3))
def test_windows_cover_a_recording(total, size):
    starts = window_starts(total, size)
    assert starts[0] == 0
    if total <= size:
        assert starts == [0]
        return
    assert starts[-1] + size == total
    steps = np.diff(starts)
    assert (steps > 0).all() and (steps <= size).all(), "no gap"
    assert len(starts) == -(-total // size), "and none too many"


def test_a_part_of_a_file_is_cut_at_its_own_rate():
    assert segments(0.5, 2.0, 44100, None) == [(22050, 88200)]
    assert segments(0.0, 0.7, 8000, 1.0) == [(0, 5600)]


def write_noise(path, seconds=3.0, rate=16000, **options):
    """Writes noise and returns the waveform as read back."""
    wave = np.random.default_rng(0).uniform(-0.5, 0.5, int(seconds * rate))
    soundfile.write(path, wave, rate, **options)
    return read_audio(str(path), AudioNormalizer(rate))


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "aiff", "au"])
def test_a_part_equals_that_of_the_whole(ending, tmp_path):
    path = tmp_path / f"a.{ending}"
    whole = write_noise(path)
    normalizer = AudioNormalizer(16000)
    for start, stop in ((0, 16000), (12345, 30001), (40000, 48000)):
        part = read_audio(str(path), normalizer, start, stop)
        assert part.shape == (stop - start,)
        # MP3 decoders carry a remainder from frame to frame.
        torch.testing.assert_close(
            part, whole[start:stop], atol=2e-4, rtol=0, msg=f"{start}-{stop}"
        )


def test_a_part_is_read_without_the_rest(tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    write_noise(path, 10.0)
    decoded = []
    read = soundfile.SoundFile.read

    def count(self, *args, **kwargs):
        """Notes how many samples were decoded."""
        found = read(self, *args, **kwargs)
        decoded.append(len(found))
        return found

    monkeypatch.setattr(soundfile.SoundFile, "read", count)
    read_audio(str(path), AudioNormalizer(16000), 80000, 96000)
    assert decoded == [16000]


def test_a_part_beyond_the_end_is_refused(tmp_path):
    path = tmp_path / "a.wav"
    write_noise(path, 1.0)
    for start, stop in ((15000, 16001), (20000, 30000)):
        with pytest.raises(ValueError, match="a.wav' (is cut off|cannot be)"):
            read_audio(str(path), AudioNormalizer(16000), start, stop)


def test_a_sample_that_is_not_finite_spoils_its_part_only(tmp_path):
    wave = np.zeros(16000, np.float32)
    wave[9000] = np.nan
    soundfile.write(tmp_path / "a.wav", wave, 16000, "FLOAT")
    normalizer = AudioNormalizer(16000)
    read_audio(str(tmp_path / "a.wav"), normalizer, 0, 8000)
    with pytest.raises(ValueError, match="nan"):
        read_audio(str(tmp_path / "a.wav"), normalizer, 8000, 16000)


@pytest.mark.parametrize("cache_gb", [0.0, 0.1])
def test_datasets_of_parts(cache_gb, tmp_path):
    labels = CategoricalEncoder()
    labels.update_from_iterable(["x"])
    labels.expect_len(1)
    whole = write_noise(tmp_path / "a.wav", 2.0, 8000)
    wav = {"wav": "{data_root}/a.wav", "label": "x"}
    entries = {
        "whole": wav,
        "first": {**wav, "start": 0, "stop": 8000},
        "last": {**wav, "start": 8000, "stop": 16000},
    }
    manifest = tmp_path / "train.json"
    manifest.write_text(json.dumps(entries))
    data = make_datasets(
        {"train": str(manifest)}, str(tmp_path), labels, 8000, cache_gb
    )
    for _ in range(2):  # the second time, from the cache
        found = {clip["id"]: clip["sig"] for clip in data["train"]}
        assert torch.equal(found["whole"], whole)
        assert torch.equal(found["first"], whole[:8000])
        assert torch.equal(found["last"], whole[8000:])


def test_the_cache_tells_parts_and_changed_files_apart(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"one")
    cache = WaveformCache(0.1, folder=tmp_path / "cache")
    ones = cache.get(path, lambda _: torch.ones(2), "0-2")
    assert torch.equal(cache.get(path, lambda _: 1 / 0, "0-2"), ones)
    zeros = cache.get(path, lambda _: torch.zeros(2), "2-4")
    assert torch.equal(zeros, torch.zeros(2))
    path.write_bytes(b"other")
    other = cache.get(path, lambda _: torch.full((2,), 7.0), "0-2")
    assert torch.equal(other, torch.full((2,), 7.0))
