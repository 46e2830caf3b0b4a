"""Embedder: embeddings of audio of any length by an artefact's backbone."""

import os

import torch
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.trained import Trained
from speechbrain_petl.dataio.windows import cut
from speechbrain_petl.inference.windows import WINDOWS_AT_ONCE, check_finite
from speechbrain_petl.lobes.backbone import Timeline
from torch import nn


class Embedder(nn.Module):
    """Embeds whole recordings, and moments of them, without a head.

    A recording is cut into windows of the artefact's clip length, so that
    memory does not grow with its length but for the result.

    Arguments
    ---------
    trained : Trained
        A loaded artefact.

    Attributes
    ----------
    sample_rate : int
        Sample rate of the waveforms in Hz.
    scene_size : int
        Size of the embedding of a recording.
    moment_size : int
        Size of the embedding of a moment.
    """

    def __init__(self, trained: Trained):
        super().__init__()
        self.compute_features = trained.compute_features
        self.encoder = trained.encoder
        self.sample_rate = trained.compute_features.sample_rate
        self.scene_size: int = trained.encoder.model.embedding_size
        self.moment_size: int = trained.encoder.model.config.hidden_size
        self.eval()

    @classmethod
    def from_artefact(
        cls,
        source: str | os.PathLike,
        revision: str | None = None,
        backbone: str | None = None,
        fetch: bool | None = None,
    ) -> "Embedder":
        """Loads an artefact as data, as ``PETLClassifier.from_artefact``."""
        artefact = Artefact.open(source, revision)
        return cls(artefact.load(artefact.backbone(backbone, fetch)))

    @property
    def timeline(self) -> Timeline:
        """Where moments are in a recording's first window, in samples."""
        return self.encoder.model.timeline(self.compute_features.hop_samples)

    @torch.no_grad()
    def scenes(self, audio: torch.Tensor) -> torch.Tensor:
        """Computes one embedding of each recording.

        Arguments
        ---------
        audio : torch.Tensor
            Waveforms [n, samples] of one length.

        Returns
        -------
        torch.Tensor
            Means [n, scene_size] of the embeddings of the windows that
            inference would classify.

        Raises
        ------
        ValueError
            If there is no sample, or an embedding is not finite.
        """
        _check(audio)
        embeddings = []
        for waveform in audio.float():
            windows = cut(waveform, self.compute_features)
            parts = [
                self.encoder(self.compute_features(some))
                for some in windows.split(WINDOWS_AT_ONCE)
            ]
            embeddings.append(torch.cat(parts).float().mean(dim=0))
        return _finite(torch.stack(embeddings))

    @torch.no_grad()
    def moments(self, audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Computes embeddings all along each recording.

        Arguments
        ---------
        audio : torch.Tensor
            Waveforms [n, samples] of one length.

        Returns
        -------
        embeddings : torch.Tensor
            Embeddings [n, t, moment_size]; of each the center is inside of
            the recording.
        times : torch.Tensor
            Centers [n, t] in ms.

        Raises
        ------
        ValueError
            If there is no sample, or an embedding is not finite.
        """
        _check(audio)
        n_samples, size = audio.shape[1], self.compute_features.clip_samples
        first, step = self.timeline
        # Where the windows begin; a last one without a moment is left out.
        starts = [s for s in range(0, n_samples, size) if s + first < n_samples]
        found, times = [], []
        for start in starts or [0]:
            some = audio[:, start : start + size].float()
            tokens = torch.cat(
                [self._tokens(part) for part in some.split(WINDOWS_AT_ONCE)]
            )
            centers = start + first + step * torch.arange(tokens.shape[1])
            # A recording of less than a moment has one nevertheless.
            inside = max(1, int((centers < n_samples).sum()))
            found.append(tokens[:, :inside].float())
            times.append(centers[:inside])
        embeddings = _finite(torch.cat(found, dim=1))
        in_ms = torch.cat(times) * (1000 / self.sample_rate)
        return embeddings, in_ms.to(audio.device).expand(len(audio), -1)

    def _tokens(self, audio):
        """Tokens [B, t, d] of one window."""
        return self.encoder.model.in_time(self.compute_features(audio))


def _check(audio):
    """Refuses what holds no recording."""
    if audio.dim() != 2 or not audio.shape[1]:
        raise ValueError(
            "Waveforms are [recordings, samples], at least one sample each, "
            f"but these are {list(audio.shape)}."
        )


def _finite(embeddings):
    """Returns embeddings if all are finite."""
    check_finite(embeddings, "a recording")
    return embeddings
