"""Clips are decoded once; what is damaged or stale is decoded again."""

import os
import pickle
import threading
from functools import partial

import numpy as np
import pytest
import soundfile
import torch
from speechbrain_petl.dataio import cache as waveform_cache
from speechbrain_petl.dataio.audio import read_audio
from speechbrain_petl.dataio.cache import WaveformCache
from speechbrain_petl.dataio.datasets import make_datasets

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


def fill(folder, cache, decode, n_clips=10):
    """Puts files into the cache."""
    clips = [folder / f"{i}.wav" for i in range(n_clips)]
    for i, clip in enumerate(clips):
        clip.write_bytes(b"x" * (i + 1))
        cache.get(clip, decode)
    return clips


def test_what_was_not_used_for_longest_goes(tmp_path):
    cache, decode = WaveformCache(1, folder=tmp_path / "c"), Decoder()
    clips = fill(tmp_path, cache, decode)
    for age, entry in enumerate(sorted(entries(cache), key=str)):
        os.utime(entry, (age, age))
    kept = set(sorted(entries(cache), key=str)[-4:])
    cache.shrink()
    assert len(entries(cache)) == 10, "all fit"
    cache.max_bytes = 20_000
    cache.shrink()
    assert set(entries(cache)) == kept, "4 of 4004 bytes fit"
    assert len(list(cache.folder.glob("files/??/*"))) == 4
    cache.max_bytes = 1e9
    for clip in clips:
        cache.get(clip, decode)
    assert len(decode.calls) == 16, "4 were there"


def test_a_use_counts_and_so_do_other_rates(tmp_path):
    other = WaveformCache(1, 8000, folder=tmp_path / "c")
    cache, decode = WaveformCache(1, folder=tmp_path / "c"), Decoder()
    fill(tmp_path, other, decode)
    clips = fill(tmp_path, cache, decode)
    for entry in [*entries(cache), *entries(other)]:
        os.utime(entry, (1, 1))
    cache.get(clips[3], decode)
    cache.max_bytes = 5000
    cache.shrink()
    assert len(entries(cache)) == 1 and not entries(other)
    cache.get(clips[3], decode)
    assert len(decode.calls) == 20, "it was the one that was used"


def test_the_bound_holds_while_it_fills(tmp_path):
    cache, decode = WaveformCache(20_000e-9, folder=tmp_path / "c"), Decoder()
    fill(tmp_path, cache, decode)
    assert 3 <= len(entries(cache)) <= 4


def test_another_version_of_the_decoder_decodes_anew(
    clip, tmp_path, monkeypatch
):
    decode = Decoder()
    WaveformCache(1, folder=tmp_path / "c").get(clip, decode)
    monkeypatch.setattr(waveform_cache, "VERSIONS", ("3.0", "2.0"))
    WaveformCache(1, folder=tmp_path / "c").get(clip, decode)
    assert len(decode.calls) == 2


@pytest.mark.fault("cache of clips: file changed while it is read")
def test_a_file_that_changes_meanwhile_is_not_kept(clip, tmp_path):
    cache = WaveformCache(1, folder=tmp_path / "c")

    def decode(path):
        clip.write_bytes(b"another length")
        return torch.ones(3)

    assert torch.equal(cache.get(clip, decode), torch.ones(3))
    assert not entries(cache)
    assert len(cache.get(clip, Decoder())) == 1000


@pytest.mark.fault("cache of clips: damaged note")
@pytest.mark.parametrize("text", [b"", b"\xff\x00", b"no/where", b"files"])
def test_a_damaged_note_is_written_anew(text, clip, tmp_path):
    cache, decode = WaveformCache(1, folder=tmp_path / "c"), Decoder()
    first = cache.get(clip, decode)
    (note,) = cache.folder.glob("files/??/*")
    whole = note.read_bytes()
    note.write_bytes(text)
    assert torch.equal(cache.get(clip, decode), first)
    assert len(decode.calls) == 1 and note.read_bytes() == whole


def test_a_cache_of_somebody_else_is_read(clip, tmp_path, monkeypatch):
    cache, decode = WaveformCache(1, folder=tmp_path / "c"), Decoder()
    first = cache.get(clip, decode)
    os.utime(entries(cache)[0], (1, 1))

    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "utime", refuse)
    assert torch.equal(cache.get(clip, decode), first)
    assert len(decode.calls) == 1


def test_a_missing_file_is_told_by_the_decoder(tmp_path):
    cache = WaveformCache(1, folder=tmp_path / "c")
    with pytest.raises(ValueError, match="There is no file"):
        cache.get(tmp_path / "a.wav", partial(read_audio, normalizer=None))


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
