"""The contract of a front end: from waveforms to a backbone's input."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import nn


class FrontEnd(nn.Module, ABC):
    """Base class of the modules named ``compute_features`` in a YAML.

    It has neither trained tensors nor saved ones. Padding inside a batch does
    not change a clip's result.

    Attributes
    ----------
    sample_rate : int
        Sample rate of the waveforms in Hz.
    max_length : int
        Length of a clip in steps of ``hop_samples``, that of the backbone.
    """

    sample_rate: int
    max_length: int

    @property
    @abstractmethod
    def clip_samples(self) -> int:
        """Number of samples that it reads at most."""

    @property
    @abstractmethod
    def hop_samples(self) -> int:
        """Number of samples from one step of the output to the next."""

    @abstractmethod
    def forward(
        self, wavs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes a backbone's input.

        Arguments
        ---------
        wavs : torch.Tensor
            Waveforms [B, samples], zero-padded to the longest.
        lens : torch.Tensor, optional
            Relative lengths [B]; all are whole by default.

        Returns
        -------
        torch.Tensor
            Input [B, max_length, ...] of the backbone.
        """

    def unnormalized(self, wav: torch.Tensor) -> torch.Tensor:
        """Returns the values whose corpus-wide statistics normalize a clip.

        Arguments
        ---------
        wav : torch.Tensor
            Waveform [samples].

        Returns
        -------
        torch.Tensor
            Features [steps, ...] of the clip alone, without padding.

        Raises
        ------
        ValueError
            If the front end normalizes each clip by itself.
        """
        raise ValueError(
            f"{type(self).__name__} uses no statistics of a corpus."
        )

    @abstractmethod
    def record(self) -> dict[str, Any]:
        """Returns its options, all of them plain, as an artefact records them.

        ``sample_rate`` and ``max_length`` are always there.
        """

    def alike(self, other: nn.Module) -> bool:
        """Returns True if another front end computes the same.

        Example
        -------
        >>> from speechbrain_petl.lobes.features import ASTFbank
        >>> ASTFbank(100).alike(ASTFbank(100)), ASTFbank(100).alike(ASTFbank(9))
        (True, False)
        """
        return type(other) is type(self) and other.options() == self.options()

    def options(self) -> dict[str, Any]:
        """Returns all that decides what it computes; ``record`` by default."""
        return self.record()
