"""Tiny stock models, no tensor of which is trivial."""

import pytest
import torch
from torch import nn
from transformers import (
    WavLMConfig,
    WavLMModel,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperModel,
)


def random(model):
    """The model with no tensor of it trivial."""
    generator = torch.Generator().manual_seed(5)
    for tensor in model.state_dict().values():
        nn.init.normal_(tensor, std=0.3, generator=generator)
    return model.eval()


@pytest.fixture(params=[False, True], ids=["after", "before"])
def wavlm(request):
    """A stock WavLM, with norms after or before the sub-layers."""
    config = WavLMConfig(
        hidden_size=24,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=32,
        conv_dim=[16] * 7,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        num_buckets=8,
        max_bucket_distance=6,
        do_stable_layer_norm=request.param,
    )
    return random(WavLMModel(config))


@pytest.fixture
def whisper():
    """A stock Whisper's encoder."""
    config = WhisperConfig(
        d_model=24,
        encoder_layers=2,
        encoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_layers=1,
        decoder_attention_heads=2,
        decoder_ffn_dim=8,
        max_source_positions=20,
    )
    return random(WhisperModel(config)).encoder


def _save_whisper(folder, seconds):
    """Saves a tiny Whisper for clips of some seconds, with its preprocessor."""
    config = WhisperConfig(
        d_model=24,
        encoder_layers=2,
        encoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_layers=1,
        decoder_attention_heads=2,
        decoder_ffn_dim=8,
        max_source_positions=50 * seconds,
    )
    WhisperModel(config).save_pretrained(folder)
    WhisperFeatureExtractor(chunk_length=seconds).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def save_whisper():
    """``save_whisper(folder, seconds)``: a tiny Whisper, as a checkpoint."""
    return _save_whisper


@pytest.fixture(scope="session")
def whisper_folder(save_whisper, tmp_path_factory):
    """A tiny Whisper that reads a second."""
    return save_whisper(tmp_path_factory.mktemp("whisper"), seconds=1)
