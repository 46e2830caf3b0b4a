"""Front ends of wav2vec 2.0 and of Whisper, against transformers' own."""

import numpy as np
import pytest
import torch
from speechbrain_petl.lobes.waveforms import Waveforms
from speechbrain_petl.lobes.whisper_fbank import WhisperFbank
from transformers import Wav2Vec2FeatureExtractor, WhisperFeatureExtractor

SAMPLES = (9000, 16000, 25000)


@pytest.fixture
def clips():
    """Clips of three lengths, quiet and loud, with an offset."""
    generator = torch.Generator().manual_seed(2)
    return [
        torch.randn(n, generator=generator) * 0.1 * (i + 1) + 0.05
        for i, n in enumerate(SAMPLES)
    ]


def batch(clips):
    """The clips in one padded batch, with their relative lengths."""
    wavs = torch.nn.utils.rnn.pad_sequence(clips, batch_first=True)
    return wavs, torch.tensor([len(c) / wavs.shape[1] for c in clips])


@pytest.mark.parametrize("normalize", [True, False])
def test_equals_transformers_on_each_clip(clips, normalize):
    # Without a mask it takes the padding into mean and variance.
    stock = Wav2Vec2FeatureExtractor(
        do_normalize=normalize, return_attention_mask=True
    )
    front_end = Waveforms(100, normalize=normalize, shorter="zeros")
    found = front_end(*batch(clips))
    assert found.shape == (3, 16000)
    for row, clip in zip(found, clips, strict=True):
        want = stock(
            clip.numpy(),
            sampling_rate=16000,
            max_length=16000,
            truncation=True,
            padding="max_length",
            return_tensors="pt",
        ).input_values[0]
        torch.testing.assert_close(row, want, rtol=0, atol=1e-5)


@pytest.mark.parametrize("shorter", ["repeat", "zeros"])
def test_padding_in_a_batch_changes_nothing(clips, shorter):
    front_end = Waveforms(100, shorter=shorter)
    wavs, lens = batch(clips)
    noisy = wavs + (wavs == 0) * 7  # whatever lies behind a clip's end
    together = front_end(noisy, lens)
    for row, clip in zip(together, clips, strict=True):
        alone = front_end(clip[None])[0]
        torch.testing.assert_close(row, alone, rtol=0, atol=1e-6)


def test_shorter_clips_are_repeated(clips):
    row = Waveforms(100, normalize=False)(clips[0][None])[0]
    want = np.pad(clips[0].numpy(), (0, 7000), mode="wrap")
    assert torch.equal(row, torch.from_numpy(want))


def test_longer_clips_are_cut(clips):
    long = clips[2]
    front_end = Waveforms(100, normalize=False, longer="random").train()
    rows = [front_end(long[None])[0] for _ in range(5)]
    starts = {int((long == row[0]).nonzero()[0]) for row in rows}
    assert len(starts) > 1 and max(starts) <= 9000
    for row in rows:
        first = int((long == row[0]).nonzero()[0])
        assert torch.equal(row, long[first : first + 16000])
    middle = long[4500:20500]
    assert torch.equal(front_end.eval()(long[None])[0], middle)
    first = Waveforms(100, normalize=False)
    assert torch.equal(first(long[None])[0], long[:16000])
    always = Waveforms(100, normalize=False, longer="random_always").eval()
    assert not torch.equal(always(long[None]), always(long[None]))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"max_length": 0}, "max_length is 0"),
        ({"max_length": 1, "shorter": "wrap"}, "shorter is one of repeat"),
        ({"max_length": 1, "longer": "last"}, "longer is one of first"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Waveforms(**options)


@pytest.mark.parametrize("n_mels", [80, 128])
def test_whispers_features_equal_transformers(clips, n_mels):
    stock = WhisperFeatureExtractor(feature_size=n_mels)
    found = WhisperFbank(100, n_mels=n_mels)(*batch(clips))
    assert found.shape == (3, 100, n_mels)
    for row, clip in zip(found, clips, strict=True):
        want = stock(
            clip.numpy(),
            sampling_rate=16000,
            max_length=16000,
            return_tensors="pt",
        ).input_features[0]
        torch.testing.assert_close(row.mT, want, rtol=0, atol=1e-4)


def test_silence_is_finite():
    silence = torch.zeros(1, 16000)
    assert Waveforms(100)(silence).isfinite().all()
    assert WhisperFbank(100)(silence).isfinite().all()


def test_records_tell_front_ends_apart():
    assert Waveforms(100).alike(Waveforms(100))
    for options in ({"normalize": False}, {"shorter": "zeros"}):
        assert not Waveforms(100).alike(Waveforms(100, **options))
    assert WhisperFbank(100).record()["max_length"] == 100
    assert WhisperFbank(100).clip_samples == Waveforms(100).clip_samples
