"""The contract of a front end: from waveforms to a backbone's input."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import nn

MANY = range(1, 1001)  # windows of a clip


def first_samples(
    n_samples: torch.Tensor, size: int, random: bool
) -> torch.Tensor:
    """Chooses where clips are cut to a length.

    Arguments
    ---------
    n_samples : torch.Tensor
        Lengths [B] of the clips.
    size : int
        Number of samples to keep at most.
    random : bool
        If True, draws the parts; else they are in the middle.

    Returns
    -------
    torch.Tensor
        First samples [B].

    Example
    -------
    >>> first_samples(torch.tensor([10, 30]), 20, random=False)
    tensor([0, 5])
    """
    spare = (n_samples - size).clamp(min=0)
    if not random:
        return spare // 2
    drawn = torch.rand(spare.shape).to(spare.device)
    return (drawn * (spare + 1)).long().clamp(max=spare)


def check_windows(windows: int | None) -> int | None:
    """Returns a number of windows, as a whole number from 1 or None.

    Raises
    ------
    ValueError
        If it is none.

    Example
    -------
    >>> check_windows(0)
    Traceback (most recent call last):
    ...
    ValueError: windows is 0: give a whole number from 1, or null for ...
    """
    if windows is not None and (type(windows) is bool or windows not in MANY):
        raise ValueError(
            f"windows is {windows!r}: give a whole number from 1, or null for "
            "as many as cover a clip."
        )
    return windows


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
    windows : int, optional
        Number of windows of a long clip in evaluation, evenly spread, whose
        outputs are averaged; None for as few as cover it. If it is 1, the
        front end chooses which part of the clip it reads.
    """

    sample_rate: int
    max_length: int
    windows: int | None

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

    @property
    def draws(self) -> bool:
        """Returns True if what it reads of a clip is random in training."""
        return False

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
