"""Embeddings for HEAR and X-ARES, of artefacts of several families."""

import os
from pathlib import Path

import pytest
import speechbrain_petl.hear
import torch
from speechbrain_petl.inference import PETLClassifier
from speechbrain_petl.inference.embedder import Embedder
from speechbrain_petl.inference.xares import ArtefactEncoder

# Centers in samples, of the first two moments, of the tiny models: three
# convolutions of 10, 8, 4 samples by 8, 8, 4; two centered frames of 160;
# patches of 16 frames of 400 samples by 160, each 10 on.
FAMILIES = {
    "wav2vec 2.0": (128.5, 256),
    "WavLM": (128.5, 256),
    "Whisper's encoder": (0, 320),
    "AST": (7.5 * 160 + 200, 1600),
}


@pytest.fixture(scope="module", params=FAMILIES)
def family(request):
    """A family."""
    return request.param


@pytest.fixture
def folder(family, family_artefact, family_source, monkeypatch):
    """An artefact with prompts, adapters and a clip length of 240 ms."""
    source = Path(family_source(family))
    monkeypatch.setenv("SPEECHBRAIN_PETL_BACKBONES", os.fspath(source.parent))
    return str(family_artefact(family, "ipet"))


def test_hear(folder, family):
    """What HEAR's validator asks for, and that the values are right."""
    hear = speechbrain_petl.hear
    model = hear.load_model(folder)
    assert isinstance(model, torch.nn.Module)
    assert model.sample_rate in (16000, 22050, 32000, 44100, 48000)
    audio = torch.rand(2, 10000) - 0.5
    scenes = hear.get_scene_embeddings(audio, model)
    assert scenes.shape == (2, model.scene_embedding_size)
    assert scenes.dtype == torch.float32 and not scenes.requires_grad
    moments, times = hear.get_timestamp_embeddings(audio, model)
    assert moments.shape[:2] == times.shape
    assert moments.shape[2] == model.timestamp_embedding_size
    first, step = FAMILIES[family]
    assert times[0, 0].item() == pytest.approx(first / 16)
    if family != "AST":  # of 24 frames it makes one column of patches
        assert (times[0, 1] - times[0, 0]).item() == pytest.approx(step / 16)
    assert (times[0].diff() > 0).all()
    assert times.max() < 10000 / 16 and torch.equal(times[0], times[1])

    # Of a clip that fits, the scene is what inference has.
    classifier = PETLClassifier.from_artefact(folder)
    short = audio[:, :3000]
    torch.testing.assert_close(
        hear.get_scene_embeddings(short, model), classifier.encode_batch(short)
    )
    # Windows do not see each other, nor sounds.
    size = classifier.mods.compute_features.clip_samples
    window, at = hear.get_timestamp_embeddings(
        audio[1:, size : 2 * size], model
    )
    here = (times[0] >= size / 16) & (times[0] < 2 * size / 16)
    torch.testing.assert_close(
        moments[1, here], window[0], rtol=1e-4, atol=1e-5
    )
    torch.testing.assert_close(times[0, here], at[0] + size / 16)


@pytest.mark.parametrize("n_samples", [1, 200, 3840, 3841, 60000])
def test_sounds_of_any_length(folder, n_samples):
    embedder = Embedder.from_artefact(folder)
    audio = torch.rand(1, n_samples)
    assert embedder.scenes(audio).shape == (1, embedder.scene_size)
    moments, times = embedder.moments(audio)
    assert moments.shape == (1, times.shape[1], embedder.moment_size)
    assert times.shape[1] >= 1
    for call in (embedder.scenes, embedder.moments):
        with pytest.raises(ValueError, match=r"these are \[1, 0\]"):
            call(audio[:, :0])
        with pytest.raises(ValueError, match="is not finite"):
            call(audio * float("inf"))


def test_xares(folder, family):
    """What X-ARES's own checker asks for."""

    class AdaptedEncoder(ArtefactEncoder):
        """As X-ARES makes it."""

        def __init__(self):
            super().__init__(folder)

    encoder = AdaptedEncoder()
    assert isinstance(encoder, torch.nn.Module)
    assert encoder.sampling_rate == 16000
    assert encoder.hop_size_in_ms == pytest.approx(FAMILIES[family][1] / 16)
    audio = torch.randn(2, 50000)
    encoded = encoder(audio)
    assert encoded.shape[::2] == (2, encoder.output_dim)
    torch.testing.assert_close(
        encoder(audio[0]), encoded[:1], rtol=1e-4, atol=1e-5
    )
