"""Noise of other corpora: SpeechBrain's sums, draws that a resumed run repeats."""

import random

import numpy as np
import pytest
import soundfile
import torch
from speechbrain_petl.dataio.noise import FolderNoise, FolderReverb, Noise
from speechbrain_petl.training.rng import RandomState


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A MUSAN and room responses, tiny, of two sample rates."""
    root, rng = tmp_path_factory.mktemp("noise"), np.random.default_rng(0)
    for part, frames in (("speech", 900), ("music", 3000), ("noise", 50)):
        for k in range(2):
            file = root / "musan" / part / "fma" / f"{k}.wav"
            file.parent.mkdir(parents=True, exist_ok=True)
            rate = 16000 if k else 8000
            soundfile.write(file, rng.uniform(-0.5, 0.5, frames), rate)
    response = np.zeros(200)
    response[3], response[60] = 1.0, 0.5
    (root / "rir" / "small").mkdir(parents=True)
    soundfile.write(root / "rir" / "small" / "a.wav", response, 16000)
    return root / "musan", root / "rir"


def draw(noise, wavs, lens, seed=1):
    """Noise after this seed."""
    torch.manual_seed(seed)
    random.seed(seed)
    return noise(wavs, lens)


WAVS, LENS = torch.randn(4, 1000) * 0.1, torch.tensor([1.0, 0.5, 0.7, 1.0])


def test_the_ratio_is_what_was_asked_for(folders):
    files = sorted((folders[0] / "noise").rglob("*.wav"))
    noise = FolderNoise(files, (10, 10), (1, 1), 16000)
    wave = torch.sin(torch.arange(2000) / 7.0)[None]
    noisy = draw(noise, wave, torch.ones(1))
    # Both are scaled so that their sum is about as loud as the clip was.
    scale = (noisy * wave).sum() / (wave * wave).sum()
    rest = noisy - scale * wave
    ratio = 20 * torch.log10((scale * wave).norm() / rest.norm())
    assert ratio.item() == pytest.approx(10, abs=1.0)


def test_a_response_is_convolved(folders):
    files = sorted(folders[1].rglob("*.wav"))
    pulse = torch.zeros(1, 500)
    pulse[0, 100] = 1.0
    heard = FolderReverb(files, 16000)(pulse)
    assert heard.shape == pulse.shape
    echo = heard[0].abs().topk(2).indices.sort().values
    assert (echo[1] - echo[0]).item() == 57


def test_every_kind_is_drawn_and_padding_stays_empty(folders):
    noise = Noise(*folders)
    seen = set()
    for seed in range(20):
        noisy = draw(noise, WAVS, LENS, seed)
        assert noisy.shape == WAVS.shape and noisy.isfinite().all()
        assert not noisy[1, 500:].any() and not noisy[2, 700:].any()
        seen.add(torch.equal(noisy[0], WAVS[0]))
    assert seen == {True, False}, "some clips stay as they are"
    assert len(noise.augmenter.augmentations) == 6


def test_a_resumed_run_draws_the_same_noise(folders, tmp_path):
    noise, state = Noise(*folders), RandomState()
    draw(noise, WAVS, LENS)
    state.save(tmp_path / "rng.ckpt")
    wanted = noise(WAVS, LENS)
    state.load(tmp_path / "rng.ckpt")
    assert torch.equal(Noise(*folders)(WAVS, LENS), wanted)


def test_without_folders_nothing_changes_or_is_drawn():
    before = torch.get_rng_state()
    assert Noise()(WAVS, LENS) is WAVS
    assert torch.equal(torch.get_rng_state(), before)


def test_a_folder_without_audio_is_refused(tmp_path, folders):
    with pytest.raises(ValueError, match="musan_folder: .*no audio of speech"):
        Noise(musan_folder=str(tmp_path))
    with pytest.raises(ValueError, match="rir_folder: .*room responses"):
        Noise(str(folders[0]), str(tmp_path / "nowhere"))
