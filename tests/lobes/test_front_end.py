"""What every front end answers."""

import pytest
import torch
from speechbrain_petl.lobes.features import ASTFbank
from speechbrain_petl.lobes.front_end import FrontEnd
from speechbrain_petl.lobes.waveforms import Waveforms
from speechbrain_petl.lobes.whisper_fbank import WhisperFbank

KINDS = (ASTFbank, Waveforms, WhisperFbank)


@pytest.mark.parametrize("kind", KINDS)
def test_a_longer_clip_is_cut(kind):
    front_end = kind(50).eval()
    assert isinstance(front_end, FrontEnd) and front_end.max_length == 50
    wavs = torch.randn(1, front_end.clip_samples + front_end.hop_samples)
    cut = front_end(wavs[:, : front_end.clip_samples])
    assert torch.equal(front_end(wavs), cut)


@pytest.mark.parametrize("kind", KINDS)
def test_the_options_tell_front_ends_apart(kind):
    options = kind(50).record()
    assert options["max_length"] == 50 and options["sample_rate"] == 16000
    assert kind(50).alike(kind(50)) and not kind(50).alike(kind(52))
    assert not any(
        kind(50).alike(other(50)) for other in KINDS if other is not kind
    )


def test_only_statistics_of_a_corpus_are_asked_for():
    for kind in (Waveforms, WhisperFbank):
        with pytest.raises(ValueError, match=f"{kind.__name__} uses no stat"):
            kind(50).unnormalized(torch.randn(800))


def test_front_ends_that_compute_the_same_are_alike():
    assert ASTFbank(100).alike(ASTFbank(100))
    for options in ({"max_length": 99}, {"n_mels": 64}, {"mean": 0.0}):
        other = ASTFbank(**{"max_length": 100, **options})
        assert not ASTFbank(100).alike(other), options


def test_statistics_are_of_a_clips_own_frames():
    fbank = ASTFbank(100)
    wav = torch.randn(8000)
    assert fbank.unnormalized(wav).shape == (48, 128)
    assert torch.equal(
        fbank.unnormalized(wav), fbank.log_mel(wav[None])[0, :48]
    )
