"""Masks of silence, noise and shifts, for each clip its own."""

import torch
from speechbrain_petl.lobes.masking import SilentMasks


def test_each_clip_is_masked_with_silence():
    torch.manual_seed(0)
    masks = SilentMasks(freq_mask=24, time_mask=40, mean=-6.0, std=3.0)
    feats = torch.zeros(4, 128, 100)
    found = masks(feats)
    assert not feats.any(), "the features given stay as they are"
    assert set(found.unique().tolist()) == {0.0, 1.0}  # (0 + 6) / (2 * 3)
    for clip in found.bool():
        assert clip.all(dim=1).sum() < 24 and clip.all(dim=0).sum() < 40
    assert not torch.equal(found[0], found[1])


def test_noise_and_shifts():
    torch.manual_seed(0)
    clip = torch.arange(100.0).expand(8, 2, 100)
    shifted = SilentMasks(0, 0, 0.0, 1.0, shift=10)(clip)
    first = shifted[:, 0, 0] % 100
    assert ((first <= 10) | (first >= 91)).all() and len(first.unique()) > 1
    noisy = SilentMasks(0, 0, 0.0, 1.0, noise=0.1)(clip) - clip
    assert noisy.min() >= 0 and noisy.max() < 0.1
    levels = noisy.amax(dim=(1, 2))
    assert len(levels.unique()) == 8
    assert torch.equal(SilentMasks(0, 0, 0.0, 1.0)(clip), clip)
