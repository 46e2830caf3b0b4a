"""Artefacts of every family of backbones are opened as data."""

import os
from pathlib import Path

import pytest
import torch
from hyperpyyaml import load_hyperpyyaml, resolve_references
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.write import write_artefact
from speechbrain_petl.inference import AdapterBank, PETLClassifier
from transformers import (
    Wav2Vec2Config,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
    WhisperConfig,
    WhisperModel,
)

from speechbrain.dataio.encoder import CategoricalEncoder

HPARAMS = Path(__file__).parents[2] / "recipes/ESC50/hparams/wav2vec2"
SPEECH = {
    "hidden_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}
WHISPER = {
    "d_model": 48,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "vocab_size": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
}
MODELS = {
    "wav2vec2": lambda: Wav2Vec2Model(Wav2Vec2Config(**SPEECH)),
    "wavlm": lambda: WavLMModel(WavLMConfig(**SPEECH)),
    "whisper": lambda: WhisperModel(WhisperConfig(**WHISPER)),
}


@pytest.fixture(scope="module", params=MODELS)
def artefact(request, tmp_path_factory):
    """Returns the folder of an artefact that ``wav2vec2/lora.yaml`` made."""
    folder = tmp_path_factory.mktemp(request.param)
    MODELS[request.param]().save_pretrained(folder / request.param)
    text = (HPARAMS / "lora.yaml").read_text()
    if request.param == "whisper":  # its front end has no such options
        for option in ("normalize", "shorter", "longer"):
            text = text.replace(f"    {option}: !ref <{option}>\n", "")
    overrides = {
        "data_folder": "nowhere",
        "source": str(folder / request.param),
        "max_length": 60,
        "lora_reduction_rate": 8,
        "output_folder": str(folder / "run"),
    }
    hparams = load_hyperpyyaml(text, overrides)
    labels = CategoricalEncoder()
    labels.update_from_iterable("abc")
    with torch.no_grad():
        for tensor in hparams["encoder"].delta().values():
            tensor.normal_(std=0.1)
    head = hparams["classifier"](hparams["encoder"].embedding_size, 3)
    write_artefact(
        folder / "artefact",
        hparams["backbone"],
        hparams["compute_features"],
        hparams["encoder"],
        head,
        labels,
        resolve_references(text, overrides).getvalue(),
        {
            "method": "lora",
            "trainable": hparams["encoder"].count_parameters(),
            "training": {"corpus": "ESC-50", "hyperparameters": {}},
            "metrics": {"accuracy": 0.5},
        },
    )
    return folder / "artefact"


def test_all_ways_give_the_same(artefact, monkeypatch, tmp_path):
    monkeypatch.setenv("SPEECHBRAIN_PETL_BACKBONES", os.fspath(artefact.parent))
    wavs = torch.rand(2, 9600) - 0.5
    trained = Artefact.open(artefact).load()
    with torch.no_grad():
        logits = trained.classifier(
            trained.encoder(trained.compute_features(wavs))
        )
    expected = logits.log_softmax(dim=-1)
    bank = AdapterBank()
    bank.add("task", artefact)
    found = bank.classify_batch(wavs, tasks="task")
    rows = torch.stack([prediction.posteriors for prediction in found])
    torch.testing.assert_close(rows, expected)
    classifier = PETLClassifier.from_hparams(
        source=str(artefact), savedir=str(tmp_path / "saved")
    )
    posteriors, *_ = classifier.classify_batch(wavs)
    torch.testing.assert_close(posteriors, expected)


def test_the_yaml_names_classes(artefact):
    """The functions that chose a class by the checkpoint are gone."""
    text = (artefact / "hyperparams.yaml").read_text()
    assert "load_backbone" not in text and "front_end_of" not in text
