"""Whisper's features, beside those of the stock extractor."""

import numpy as np
import pytest
import torch
from speechbrain_petl.lobes.whisper_fbank import WhisperFbank
from transformers import WhisperFeatureExtractor


@pytest.mark.parametrize("n_mels", [80, 128])
def test_features_are_the_stock_extractors(n_mels):
    wavs = 0.1 * torch.randn(2, 16000)
    wavs[1, 8000:] = 0.0  # silence, which the floor under the loudest lifts
    stock = WhisperFeatureExtractor(feature_size=n_mels, chunk_length=1)
    want = stock(list(wavs.numpy()), sampling_rate=16000, return_tensors="np")
    want = np.swapaxes(want["input_features"], 1, 2)
    got = WhisperFbank(max_length=100, n_mels=n_mels)(wavs)
    np.testing.assert_allclose(got.numpy(), want, atol=1e-4)


def test_a_clip_is_the_same_alone_and_in_a_padded_batch():
    fbank = WhisperFbank(max_length=60)
    wavs = torch.randn(2, 9600)
    batch = fbank(wavs, torch.tensor([1.0, 0.5]))
    torch.testing.assert_close(batch[1], fbank(wavs[1:, :4800])[0])
    longer = torch.cat([wavs, torch.randn(2, 800)], dim=1)
    torch.testing.assert_close(fbank(longer), fbank(wavs))


def test_it_is_computed_in_float32_under_autocast():
    fbank, wavs = WhisperFbank(max_length=20), torch.randn(1, 3200)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        feats = fbank(wavs)
    assert torch.equal(feats, fbank(wavs))


@pytest.mark.parametrize(
    "options", [{"max_length": 0}, {"n_mels": -1}, {"sample_rate": 8000}]
)
def test_a_wrong_option_is_refused_by_name(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} is"):
        WhisperFbank(**options)
