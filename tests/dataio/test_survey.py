"""Decoding a collection: long sounds, odd rates, digests across formats."""

import numpy as np
import pytest
import soundfile
from speechbrain_petl.dataio import survey as module
from speechbrain_petl.dataio.sounds import Sound
from speechbrain_petl.dataio.survey import Survey


def noise(seconds, rate=16000, seed=0):
    """Samples of 16 bits."""
    generator = np.random.default_rng(seed)
    return generator.integers(-9000, 9000, int(seconds * rate), np.int16)


def survey(folder, *names):
    """A survey of whole files, or of (file, start, end)."""
    rows = [name if isinstance(name, tuple) else (name,) for name in names]
    return Survey(
        folder,
        [
            Sound(row[0], ("x",), start=row[1], end=row[2])
            if len(row) > 1
            else Sound(row[0], ("x",))
            for row in rows
        ],
    )


def test_a_part_that_lies_across_blocks(tmp_path):
    """Sounds longer than a minute are decoded in blocks."""
    long = noise(130)
    soundfile.write(tmp_path / "long.flac", long, 16000)
    part = long[55 * 16000 : 66 * 16000] // 3
    soundfile.write(tmp_path / "part.ogg", part, 16000)
    found = survey(tmp_path, "long.flac", "part.ogg")
    (match,) = found.matches()
    assert match.lag == pytest.approx(-55.0, abs=0.02)
    assert match.similarity > 0.7
    assert found.heard[0].end == 130.0


def test_blocks_change_nothing(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "a.wav", noise(5, 22050), 22050)
    whole = survey(tmp_path, "a.wav")
    monkeypatch.setattr(module, "BLOCK", 2)
    parts = survey(tmp_path, "a.wav")
    assert whole.heard == parts.heard
    one, two = whole._levels(0), parts._levels(0)
    assert one.shape == two.shape
    assert np.abs(one - two).mean() < 0.1, "but for the edges of blocks"


def test_digests(tmp_path):
    wave = noise(1)
    soundfile.write(tmp_path / "a.wav", wave, 16000)
    soundfile.write(tmp_path / "a.flac", wave, 16000, "PCM_24")
    soundfile.write(tmp_path / "two.wav", np.stack([wave, wave], 1), 16000)
    soundfile.write(tmp_path / "fast.wav", wave, 32000)
    soundfile.write(tmp_path / "long.wav", np.tile(wave, 2), 16000)
    found = survey(
        tmp_path,
        "a.wav",
        "a.flac",
        "two.wav",
        ("long.wav", 0.0, 1.0),
        ("long.wav", 1.0, None),
        "fast.wav",
        "long.wav",
    )
    digests = [heard.digest for heard in found.heard]
    assert len(set(digests[:5])) == 1 and len(set(digests)) == 3


@pytest.mark.parametrize("rate", [8000, 11025, 44101, 192000])
def test_rates(rate, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(2, rate), rate)
    (heard,) = survey(tmp_path, "a.wav").heard
    assert heard.fault is None and heard.rate == rate and heard.end == 2.0


def test_without_landmarks_there_are_no_matches(tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(1), 16000)
    sounds = [Sound("a.wav", ("x",)), Sound("a.wav", ("x",))]
    assert list(Survey(tmp_path, sounds, False).matches()) == []
    assert len(list(Survey(tmp_path, sounds).matches())) == 1
