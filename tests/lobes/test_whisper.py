"""The lobe of Whisper, and SpeechBrain's own."""

from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.lora import LoRA
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.whisper import Whisper

lora = partial(LoRA, rank=2)


def test_whispers_positions_are_cut(whisper_folder):
    whole, cut = Whisper(whisper_folder), Whisper(whisper_folder, max_length=40)
    assert (whole.max_length, cut.max_length) == (100, 40)
    positions = cut.model.embed_positions.weight
    assert torch.equal(positions, whole.model.embed_positions.weight[:20])
    assert cut.tokens(torch.randn(1, 40, 80)).shape == (1, 20, 24)
    refit = whole.refit(max_length=40)
    x = torch.randn(2, 40, 80)
    assert torch.equal(refit(x), cut(x)) and whole.max_length == 100
    for frames in (102, 41, 0):
        with pytest.raises(ValueError, match="an even number of 2 to 100"):
            Whisper(whisper_folder, max_length=frames)
    with pytest.raises(ValueError, match="have 50 frames of 80 bins, but this"):
        cut(torch.randn(1, 50, 80))


def test_whispers_decoder_is_not_kept(whisper_folder):
    names = {name for name, _ in Whisper(whisper_folder).named_parameters()}
    assert not any("decoder" in name for name in names)


def test_speechbrains_whisper_inside_a_petl_model(save_whisper, tmp_path):
    from speechbrain.integrations.huggingface.whisper import (
        Whisper as SpeechBrains,
    )

    options = {"encoder_only": True, "freeze": False}
    folder = save_whisper(tmp_path, seconds=30)  # the lobe knows no other
    lobe = SpeechBrains(folder, str(tmp_path), **options)
    model = PETLModel(lobe, {"query": lora, "ffn_up": lora})
    wavs = torch.randn(2, 9000)
    found = model(wavs)
    torch.testing.assert_close(found, lobe.eval()(wavs), rtol=0, atol=1e-4)
    found.square().mean().backward()
    assert all(t.grad.any() for n, t in model.delta().items() if ".up." in n)


def test_a_clip_is_pooled_over_all_tokens(whisper_folder):
    x = torch.randn(2, 60, 80)
    for pooling, size in (("mean", 24), ("mean_std", 48)):
        lobe = Whisper(whisper_folder, max_length=60, pooling=pooling)
        tokens = lobe.tokens(x)
        assert tokens.shape == (2, 30, 24)
        found = lobe(x)
        assert found.shape == (2, size) == (2, lobe.embedding_size)
        torch.testing.assert_close(found[:, :24], tokens.mean(dim=1))
    assert lobe.options() == {"max_length": 60, "pooling": "mean_std"}
    with pytest.raises(ValueError, match="pooling"):
        Whisper(whisper_folder, pooling="cls")
