"""Clips are decoded once; what is damaged or stale is decoded again."""

import os
import pickle
import threading

import numpy as np
import pytest
import soundfile
import torch
from speechbrain_petl.dataio import make_datasets
from speechbrain_petl.waveform_cache import WaveformCache

from speechbrain.dataio.encoder import CategoricalEncoder


class Decoder:
    """Counts how often it decodes; the file's size decides on the result."""

    def __init__(self):
        self.calls = []

    def __call__(self, path):
        self.calls.append(str(path))
        seed = os.path.getsize(path)
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(1000, generator=generator)


@pytest.fixture
def clip(tmp_path):
    """A file."""
    (tmp_path / "a.wav").write_bytes(b"first")
    return tmp_path / "a.wav"


def entries(cache):
    """The waveforms on disk."""
    return [e for e in cache.folder.glob("??/*") if e.is_file()]


def test_a_clip_is_decoded_once_bit_for_bit(clip, tmp_path):
    cache, decode = WaveformCache(1, folder=tmp_path / "c"), Decoder()
    first = cache.get(clip, decode)
    again = pickle.loads(pickle.dumps(cache)).get(clip, decode)
    assert len(decode.calls) == 1 and torch.equal(first, again)
    again += 1
    assert torch.equal(first, cache.get(clip, decode)), "nobody shares memory"


def test_copies_share_and_a_changed_file_is_decoded_anew(clip, tmp_path):
    cache, decode = WaveformCache(1, folder=tmp_path / "c"), Decoder()
    cache.get(clip, decode)
    copy = tmp_path / "copy.wav"
    copy.write_bytes(clip.read_bytes())
    cache.get(copy, decode)
    assert len(decode.calls) == 1 and len(entries(cache)) == 1
    clip.write_bytes(b"second one")
    cache.get(clip, decode)
    assert len(decode.calls) == 2
    time = clip.stat().st_mtime_ns
    clip.write_bytes(b"other text")
    os.utime(clip, ns=(time + 1, time + 1))
    cache.get(clip, decode)
    assert len(decode.calls) == 3, "the same size, another time"


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "gone"])
@pytest.mark.fault("cache of clips: damaged entry")
def test_a_damaged_entry_is_never_used(damage, clip, tmp_path):
    cache, decode = WaveformCache(1, folder=tmp_path / "c"), Decoder()
    first = cache.get(clip, decode)
    (entry,) = entries(cache)
    data = bytearray(entry.read_bytes())
    if damage == "gone":
        entry.unlink()
    else:
        data[100] ^= 1
        cut = {"cut": data[:-8], "flip": data, "empty": b""}[damage]
        entry.write_bytes(cut)
    assert torch.equal(cache.get(clip, decode), first)
    assert len(decode.calls) == 2
    assert torch.equal(cache.get(clip, decode), first)
    assert len(decode.calls) == 2, "it was mended"


def test_what_was_not_used_for_longest_goes(tmp_path):
    cache, decode = WaveformCache(20_000e-9, folder=tmp_path / "c"), Decoder()
    clips = []
    for i in range(10):
        clips.append(tmp_path / f"{i}.wav")
        clips[-1].write_bytes(b"x" * (i + 1))
        cache.get(clips[-1], decode)
    for age, entry in enumerate(sorted(entries(cache), key=str)):
        os.utime(entry, (age, age))
    kept = set(sorted(entries(cache), key=str)[-4:])
    cache.shrink()
    assert set(entries(cache)) == kept, "4 of 4004 bytes fit"


def test_zero_keeps_nothing(clip, tmp_path):
    cache, decode = WaveformCache(0, folder=tmp_path / "c"), Decoder()
    for _ in range(2):
        cache.get(clip, decode)
    assert len(decode.calls) == 2 and not (tmp_path / "c").exists()


@pytest.mark.fault("cache of clips: cannot be written")
def test_a_cache_that_cannot_be_written_is_no_error(clip, tmp_path):
    (tmp_path / "c").write_text("a file where the folder should be")
    cache, decode = WaveformCache(1, folder=tmp_path / "c"), Decoder()
    assert len(cache.get(clip, decode)) == 1000


@pytest.mark.fault("cache of clips: used by many at once")
def test_many_threads_at_once(clip, tmp_path):
    decode, found = Decoder(), []

    def work():
        cache = WaveformCache(1, folder=tmp_path / "c")
        found.append(cache.get(clip, decode))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and all(torch.equal(f, found[0]) for f in found)
    leftovers = [f for f in (tmp_path / "c").rglob(".*") if f.is_file()]
    assert not leftovers


def test_datasets_give_the_same_with_and_without(tmp_path, monkeypatch):
    monkeypatch.setenv("SPEECHBRAIN_PETL_CACHE", str(tmp_path / "c"))
    labels = CategoricalEncoder()
    labels.update_from_iterable(["tone"])
    labels.expect_len(1)
    wave = np.random.default_rng(0).uniform(-1, 1, (44100, 2))
    soundfile.write(tmp_path / "a.wav", wave, 44100)
    manifest = tmp_path / "m.json"
    manifest.write_text('{"a": {"wav": "{data_root}/a.wav", "label": "tone"}}')
    signals = [
        make_datasets(
            {"test": str(manifest)}, str(tmp_path), labels, cache_gb=size
        )["test"][0]["sig"]
        for size in (0, 1, 1)
    ]
    assert torch.equal(signals[0], signals[1])
    assert torch.equal(signals[0], signals[2])
    assert signals[0].dtype == torch.float32
    assert list((tmp_path / "c").rglob("files/*/*"))
