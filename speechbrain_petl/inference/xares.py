"""An encoder for X-ARES (github.com/jimbozhang/xares) around any artefact.

X-ARES takes a Python file with one class, whose name ends with ``Encoder``,
that is made without arguments:

>>> from speechbrain_petl.inference import xares
>>> class AdaptedEncoder(xares.ArtefactEncoder):
...     def __init__(self):
...         super().__init__("/path/to/artefact")

``python -m xares.run adapted_encoder.py src/tasks/*.py`` runs it.
"""

import os
from typing import Any

import torch
from speechbrain_petl.inference.embedder import Embedder
from torch import nn


class ArtefactEncoder(nn.Module):
    """An artefact's adapted backbone as X-ARES calls encoders.

    Arguments
    ---------
    source : str or path-like
        Folder of an artefact, or its id of the Hugging Face hub.
    **options : dict
        Options of ``Embedder.from_artefact``, such as ``backbone``.

    Attributes
    ----------
    sampling_rate : int
        Sample rate in Hz.
    output_dim : int
        Size of an embedding.
    hop_size_in_ms : float
        From one embedding to the next.
    """

    def __init__(self, source: str | os.PathLike, **options: Any):
        super().__init__()
        self.embedder = Embedder.from_artefact(source, **options)
        self.sampling_rate = self.embedder.sample_rate
        self.output_dim = self.embedder.moment_size
        step = self.embedder.timeline.step
        self.hop_size_in_ms = 1000 * step / self.sampling_rate

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """Computes embeddings.

        Arguments
        ---------
        audio : torch.Tensor
            Waveforms [B, samples] or [samples].

        Returns
        -------
        torch.Tensor
            Embeddings [B, T, output_dim].
        """
        embeddings, _ = self.embedder.moments(torch.atleast_2d(audio))
        return embeddings
