"""The interface of HEAR 2021 (arXiv 2203.03022) around any artefact.

``hear-validator speechbrain_petl.hear --model /path/to/artefact`` and
``python -m heareval.embeddings.runner speechbrain_petl.hear --model ...`` take
this module by its name, so that it has this address and keeps it.
"""

import torch
from speechbrain_petl.inference.embedder import Embedder
from torch import nn

# HEAR evaluates tasks at one of these rates only.
RATES = (16000, 22050, 32000, 44100, 48000)


class Model(nn.Module):
    """An artefact as HEAR wants it.

    Arguments
    ---------
    embedder : Embedder
        Loaded artefact.

    Raises
    ------
    ValueError
        If its sample rate is none of HEAR's.
    """

    def __init__(self, embedder: Embedder):
        super().__init__()
        if embedder.sample_rate not in RATES:
            raise ValueError(
                f"This artefact reads {embedder.sample_rate} Hz, but HEAR has "
                f"{', '.join(map(str, RATES))} Hz."
            )
        self.embedder = embedder
        self.sample_rate = embedder.sample_rate
        self.scene_embedding_size = embedder.scene_size
        self.timestamp_embedding_size = embedder.moment_size


def load_model(model_file_path: str) -> Model:
    """Loads an artefact.

    Arguments
    ---------
    model_file_path : str
        Folder, or id of the Hugging Face hub.

    Raises
    ------
    ValueError
        If it is no whole artefact.
    """
    return Model(Embedder.from_artefact(model_file_path))


def get_timestamp_embeddings(
    audio: torch.Tensor, model: Model
) -> tuple[torch.Tensor, torch.Tensor]:
    """Embeds moments.

    Arguments
    ---------
    audio : torch.Tensor
        Waveforms [n_sounds, n_samples] between -1 and 1.
    model : Model
        As loaded.

    Returns
    -------
    embeddings : torch.Tensor
        Embeddings [n_sounds, n_timestamps, timestamp_embedding_size].
    timestamps : torch.Tensor
        Their centers [n_sounds, n_timestamps] in ms. The hop is the
        backbone's: 20 ms for wav2vec 2.0 and Whisper, 100 ms for AST.
    """
    return model.embedder.moments(audio)


def get_scene_embeddings(audio: torch.Tensor, model: Model) -> torch.Tensor:
    """Embeds whole sounds: [n_sounds, scene_embedding_size]."""
    return model.embedder.scenes(audio)


__all__ = [
    "Model",
    "get_scene_embeddings",
    "get_timestamp_embeddings",
    "load_model",
]
