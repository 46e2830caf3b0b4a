"""Clips of different lengths in one padded batch."""

import pytest
import torch
from speechbrain_petl.lobes.clips import by_length, count_samples, normalize


def test_lengths_come_back_from_float32_exactly():
    total = 480_000
    samples = torch.arange(1, total, 997)
    lens = samples.float() / total
    assert torch.equal(count_samples(torch.zeros(1, total), lens), samples)


def test_a_clip_has_one_sample_at_least_and_all_at_most():
    lens = torch.tensor([0.0, 1.5])
    assert count_samples(torch.zeros(2, 9), lens).tolist() == [1, 9]
    assert count_samples(torch.zeros(2, 9), None).tolist() == [9, 9]


def test_padding_changes_no_normalized_sample():
    clip = 3 * torch.randn(1, 50) + 2
    alone = normalize(clip, torch.ones(1, 50, dtype=torch.bool))
    padded = torch.cat([clip, torch.full((1, 30), 100.0)], dim=1)
    beside = normalize(padded, torch.arange(80)[None] < 50)
    torch.testing.assert_close(beside[:, :50], alone)
    assert abs(alone.mean()) < 1e-5
    assert alone.var(correction=0).item() == pytest.approx(1.0, abs=1e-4)
    silence = normalize(torch.zeros(1, 5), torch.ones(1, 5))
    assert silence.eq(0).all()


def test_groups_hold_every_clip_once_without_padding():
    wavs = torch.randn(4, 10)
    groups = by_length(wavs, torch.tensor([0.5, 1.0, 0.5, 0.2]))
    rows = [row for rows, _ in groups for row in rows]
    assert sorted(rows) == [0, 1, 2, 3]
    for rows, clips in groups:
        assert torch.equal(clips, wavs[rows, : clips.shape[1]])
    with pytest.raises(ValueError, match="needs their relative lengths"):
        by_length(wavs, None)
    assert by_length(wavs[:1], None)[0][0] == [0]
