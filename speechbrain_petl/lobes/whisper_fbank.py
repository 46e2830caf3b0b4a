"""WhisperFbank: Whisper's log-mel features, a whole batch at once."""

from typing import Any

import torch
from speechbrain_petl.lobes.clips import count_samples
from speechbrain_petl.lobes.front_end import FrontEnd, check_windows
from torch import nn
from transformers.audio_utils import mel_filter_bank


class WhisperFbank(FrontEnd):
    """Log-mel features as Whisper reads them.

    Equal to ``transformers.WhisperFeatureExtractor`` for clips of
    ``max_length`` frames, on each clip alone, also inside a padded batch.
    Computed in float32 under autocast too.

    Arguments
    ---------
    max_length : int
        Number of frames (10 ms each); longer clips are cut, shorter ones
        filled up with silence.
    n_mels : int
        Number of mel bins; 80, or 128 in the large models since version 3.
    sample_rate : int
        Sample rate in Hz.
    windows : int, optional
        Number of windows of a long clip in evaluation; see ``FrontEnd``.

    Raises
    ------
    ValueError
        If a size is not above 0, or the sample rate is not Whisper's.

    Example
    -------
    >>> fbank = WhisperFbank(max_length=100)
    >>> fbank(torch.rand(2, 16000), torch.tensor([1.0, 0.5])).shape
    torch.Size([2, 100, 80])
    """

    WINDOW, HOP = 400, 160  # samples

    def __init__(
        self,
        max_length: int = 3000,
        n_mels: int = 80,
        sample_rate: int = 16000,
        windows: int | None = None,
    ):
        super().__init__()
        for name, value in {
            "max_length": max_length,
            "n_mels": n_mels,
        }.items():
            if value <= 0:
                raise ValueError(f"{name} is {value}: give a number above 0.")
        if sample_rate != 16000:
            raise ValueError(
                f"sample_rate is {sample_rate}, but Whisper reads 16000 Hz."
            )
        self.max_length = max_length
        self.n_mels = n_mels
        self.sample_rate = sample_rate
        self.windows = check_windows(windows)
        mels = mel_filter_bank(
            num_frequency_bins=1 + self.WINDOW // 2,
            num_mel_filters=n_mels,
            min_frequency=0.0,
            max_frequency=8000.0,
            sampling_rate=sample_rate,
            norm="slaney",
            mel_scale="slaney",
        )
        window = torch.hann_window(self.WINDOW)
        self.window: torch.Tensor
        self.mels: torch.Tensor
        self.register_buffer("window", window, persistent=False)
        self.register_buffer(
            "mels", torch.from_numpy(mels).float(), persistent=False
        )

    @property
    def clip_samples(self) -> int:
        """Number of samples that it reads at most."""
        return self.max_length * self.HOP

    @property
    def hop_samples(self) -> int:
        """Number of samples from one frame to the next."""
        return self.HOP

    @torch.no_grad()
    def forward(
        self, wavs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes features.

        Arguments
        ---------
        wavs : torch.Tensor
            Waveforms [B, samples].
        lens : torch.Tensor, optional
            Relative lengths [B]; all are whole by default.

        Returns
        -------
        torch.Tensor
            Features [B, max_length, n_mels].
        """
        with torch.autocast(wavs.device.type, enabled=False):
            wavs = wavs.float()
            steps = torch.arange(wavs.shape[1], device=wavs.device)
            wavs = wavs * (steps < count_samples(wavs, lens)[:, None])
            short = max(0, self.clip_samples - wavs.shape[1])
            wavs = nn.functional.pad(wavs[:, : self.clip_samples], (0, short))
            # The stock extractor's centered frames, mirrored at both ends.
            half = self.WINDOW // 2
            wavs = nn.functional.pad(wavs[:, None], (half, half), "reflect")
            frames = wavs[:, 0].unfold(1, self.WINDOW, self.HOP)[:, :-1]
            power = torch.fft.rfft(frames * self.window).abs().square()
            feats = (power @ self.mels).clamp(min=1e-10).log10()
            loudest = feats.amax(dim=(1, 2), keepdim=True)
            return (torch.maximum(feats, loudest - 8.0) + 4.0) / 4.0

    def record(self) -> dict[str, Any]:
        """Returns all options, for an artefact."""
        return {
            "sample_rate": self.sample_rate,
            "max_length": self.max_length,
            "n_mels": self.n_mels,
            "windows": self.windows,
        }
