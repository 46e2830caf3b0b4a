"""ASTFbank against transformers' ASTFeatureExtractor, clip by clip."""

import numpy as np
import pytest
import torch
from speechbrain_petl.lobes.features import STATISTICS, ASTFbank
from transformers import ASTFeatureExtractor

# Samples at 16 kHz: below one frame more than needed, exact, cut, digital
# silence inside; 100 frames take 99 * 160 + 400 = 16240 samples.
LENGTHS = [400, 559, 560, 8000, 16239, 16240, 16400, 40000]


def clips():
    """Noise of several lengths and levels, one with digital silence in it."""
    rng = np.random.default_rng(0)
    waves = [
        (rng.standard_normal(n) * level).astype(np.float32)
        for n, level in zip(LENGTHS, [0.1, 1e-3, 0.5, 0.1, 1e-4, 0.9, 0.1, 0.2])
    ]
    waves[3][2000:6000] = 0.0
    return [torch.from_numpy(wave) for wave in waves]


def oracle(wave, max_length, mean, std):
    """transformers' features [frames, mels] of one clip."""
    extractor = ASTFeatureExtractor(max_length=max_length, mean=mean, std=std)
    batch = extractor(wave.numpy(), sampling_rate=16000, return_tensors="pt")
    return batch.input_values[0]


@pytest.mark.parametrize("max_length", [40, 100, 300])
@pytest.mark.parametrize("statistics", STATISTICS)
def test_equal_to_transformers_alone_and_in_a_batch(max_length, statistics):
    mean, std = STATISTICS[statistics]
    fbank = ASTFbank(max_length, mean=mean, std=std)
    waves = clips()
    padded = torch.nn.utils.rnn.pad_sequence(waves, batch_first=True)
    lens = torch.tensor([len(w) for w in waves]) / padded.shape[1]
    batch = fbank(padded, lens)
    assert batch.shape == (len(waves), max_length, 128)
    for wave, feats in zip(waves, batch):
        expected = oracle(wave, max_length, mean, std)
        assert (feats - expected).abs().max() <= 1e-4
        assert (fbank(wave[None])[0] - expected).abs().max() <= 1e-4


def test_padded_frames_are_what_transformers_pads():
    feats = ASTFbank(100)(torch.randn(1, 8000) * 0.1)
    mean, std = STATISTICS["audioset"]
    torch.testing.assert_close(
        feats[0, -1], torch.full((128,), -mean / (2 * std))
    )


def test_garbage_beyond_a_clips_end_is_not_seen():
    wave = torch.randn(1, 16000) * 0.1
    noisy = torch.cat([wave, torch.randn(1, 16000)], dim=1)
    fbank = ASTFbank(200)
    assert torch.equal(fbank(wave), fbank(noisy, torch.tensor([0.5])))


def test_a_clip_below_one_window_still_gives_a_frame():
    feats = ASTFbank(10)(torch.randn(2, 160))
    assert feats.isfinite().all()
    assert (feats[:, 0] != feats[:, 1]).any()


def test_silence_is_finite():
    assert ASTFbank(10)(torch.zeros(1, 1600)).isfinite().all()


def test_float32_under_autocast():
    wave = torch.randn(2, 16000) * 0.1
    fbank = ASTFbank(100)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = fbank(wave)
    assert torch.equal(inside, fbank(wave))


def test_nothing_of_it_is_saved_or_trained():
    fbank = ASTFbank(10)
    assert not fbank.state_dict()
    assert not list(fbank.parameters())


def test_random_parts_of_long_clips_in_training():
    torch.manual_seed(0)
    fbank = ASTFbank(max_length=20, longer="random").train()
    wavs = torch.rand(2, 9000) - 0.5
    lens = torch.tensor([1.0, 0.2])  # the second one fits
    first, second = fbank(wavs, lens), fbank(wavs, lens)
    assert not torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    parts = wavs[0].unfold(0, 3440, 1)
    assert any(
        torch.allclose(first[0], fbank.eval()(parts[k : k + 1])[0])
        for k in range(len(parts))
    )
    assert torch.equal(fbank(wavs, lens), ASTFbank(max_length=20)(wavs, lens))


@pytest.mark.parametrize(
    "option, message",
    [
        ({"longer": "middle"}, "longer is one of first, random, not 'middle'"),
        ({"windows": 0}, "windows is 0: give a whole number from 1"),
        ({"windows": 2.5}, "windows is 2.5: give"),
        ({"windows": True}, "windows is True: give"),
    ],
)
def test_options_of_long_clips(option, message):
    with pytest.raises(ValueError, match=message):
        ASTFbank(**option)
