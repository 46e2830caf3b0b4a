"""Waveforms: what wav2vec 2.0 and its kin read, clips of one length."""

from typing import Any

import torch
from speechbrain_petl.lobes.choices import LONGER, SHORTER
from speechbrain_petl.lobes.clips import count_samples, normalize
from speechbrain_petl.lobes.front_end import (
    FrontEnd,
    check_windows,
    first_samples,
)


class Waveforms(FrontEnd):
    """Clips of one length, each normalized by itself or not at all.

    All clips get ``max_length`` frames, so that no padding is left for an
    attention mask or a normalization over time to be wrong about, and a
    clip's result is the same alone and in any batch.

    Arguments
    ---------
    max_length : int
        Frames (10 ms each) of a clip.
    normalize : bool
        If True, gives each clip zero mean and unit variance over its own
        samples: what is left of it after a cut, without what fills it up.
        Checkpoints were trained with either; ``Wav2Vec2.front_end`` knows.
    shorter : str
        What fills up a clip: ``repeat``, its own beginning again and again,
        as in IPET (arXiv 2211.02227), or ``zeros``.
    longer : str
        What is left of a long clip: its ``first`` part, or a ``random`` one
        in training and the middle one in evaluation. ``random_always`` is
        random in evaluation, too, as IPET's code is on three of five corpora.
    sample_rate : int
        Sample rate in Hz.
    windows : int, optional
        Number of windows of a long clip in evaluation; see ``FrontEnd``.

    Raises
    ------
    ValueError
        If a size is not above 0 or an option is unknown.

    Example
    -------
    >>> wavs = torch.tensor([[1.0, 2.0, 3.0, 0.0, 0.0]])
    >>> features = Waveforms(max_length=1, normalize=False, sample_rate=800)
    >>> features(wavs, torch.tensor([0.6]))
    tensor([[1., 2., 3., 1., 2., 3., 1., 2.]])
    """

    def __init__(
        self,
        max_length: int,
        normalize: bool = True,
        shorter: str = "repeat",
        longer: str = "first",
        sample_rate: int = 16000,
        windows: int | None = None,
    ):
        super().__init__()
        sizes = {"max_length": max_length, "sample_rate": sample_rate}
        for name, size in sizes.items():
            if size <= 0:
                raise ValueError(f"{name} is {size}: give a number above 0.")
        choices = {"shorter": (shorter, SHORTER), "longer": (longer, LONGER)}
        for name, (choice, allowed) in choices.items():
            if choice not in allowed:
                raise ValueError(
                    f"{name} is one of {', '.join(allowed)}, not '{choice}'."
                )
        self.max_length = max_length
        self.normalize = normalize
        self.shorter = shorter
        self.longer = longer
        self.sample_rate = sample_rate
        self.windows = check_windows(windows)

    @property
    def draws(self) -> bool:
        """Returns True if long clips are cut at random in training."""
        return self.longer != "first"

    @property
    def clip_samples(self) -> int:
        """Number of samples that it reads at most."""
        return self.max_length * self.hop_samples

    @property
    def hop_samples(self) -> int:
        """Number of samples of a frame."""
        return self.sample_rate // 100

    @torch.no_grad()
    def forward(
        self, wavs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Cuts or fills up waveforms, and normalizes them.

        Arguments
        ---------
        wavs : torch.Tensor
            Waveforms [B, samples], zero-padded to the longest.
        lens : torch.Tensor, optional
            Relative lengths [B]; all are whole by default.

        Returns
        -------
        torch.Tensor
            Waveforms [B, clip_samples] in float32.
        """
        with torch.autocast(wavs.device.type, enabled=False):
            wavs = wavs.float()
            size = self.clip_samples
            n_samples = count_samples(wavs, lens)[:, None]
            steps = torch.arange(size, device=wavs.device)
            index = self.first_samples(n_samples) + steps
            clips = wavs.gather(1, index % n_samples)
            inside = steps < n_samples
            if self.normalize:
                clips = normalize(clips, inside)
            return clips if self.shorter == "repeat" else clips * inside

    def first_samples(self, n_samples: torch.Tensor) -> torch.Tensor:
        """Chooses where each clip [B, 1] is cut."""
        if self.longer == "first":
            return torch.zeros_like(n_samples)
        random = self.training or self.longer == "random_always"
        return first_samples(n_samples, self.clip_samples, random)

    def record(self) -> dict[str, Any]:
        """Returns all options, for an artefact."""
        return {
            "sample_rate": self.sample_rate,
            "max_length": self.max_length,
            "normalize": self.normalize,
            "shorter": self.shorter,
            "longer": self.longer,
            "windows": self.windows,
        }
