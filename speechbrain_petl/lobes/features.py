"""ASTFbank: AST's log-mel features, a whole batch at once on its device."""

from typing import Any

import torch
from speechbrain_petl.lobes.clips import count_samples
from speechbrain_petl.lobes.front_end import (
    FrontEnd,
    check_windows,
    first_samples,
)
from torch import nn
from torchaudio.compliance.kaldi import get_mel_banks

# (mean, standard deviation) of the log-mel features, before halving the scale.
STATISTICS = {
    "audioset": (-4.2677393, 4.5689974),
    "esc50": (-6.6268077, 5.358466),
    "speechcommands": (-6.845978, 5.5654526),
}


LONGER = ("first", "random")


class ASTFbank(FrontEnd):
    """Kaldi-compatible log-mel filter banks as AST reads them.

    Equal to ``transformers.ASTFeatureExtractor`` on each clip alone, also
    inside a padded batch: frames that reach beyond a clip's own end are
    padded as it pads (with zeros before the normalization, which are not zero
    after it). ``(x - mean) / (2 std)``. Computed in float32 under autocast
    too.

    Arguments
    ---------
    max_length : int
        Number of frames; longer clips are cut, shorter ones padded.
    n_mels : int
        Number of mel bins.
    sample_rate : int
        Sample rate in Hz.
    mean, std : float
        Statistics of the log-mel features; AudioSet's by default. Those of
        other corpora are in ``STATISTICS``.
    longer : str
        What training reads of a long clip: its ``first`` part, or a
        ``random`` one. Evaluation reads windows, and a single one is the
        first part.
    windows : int, optional
        Number of windows of a long clip in evaluation; see ``FrontEnd``.

    Raises
    ------
    ValueError
        If a size or ``std`` is not above 0, or an option is unknown.

    Example
    -------
    >>> fbank = ASTFbank(max_length=100)
    >>> feats = fbank(torch.rand(2, 16000) - 0.5, torch.tensor([1.0, 0.5]))
    >>> feats.shape
    torch.Size([2, 100, 128])
    """

    def __init__(
        self,
        max_length: int = 1024,
        n_mels: int = 128,
        sample_rate: int = 16000,
        mean: float = STATISTICS["audioset"][0],
        std: float = STATISTICS["audioset"][1],
        longer: str = "first",
        windows: int | None = None,
    ):
        super().__init__()
        sizes = {
            "max_length": max_length,
            "n_mels": n_mels,
            "sample_rate": sample_rate,
            "std": std,
        }
        for name, value in sizes.items():
            if value <= 0:
                raise ValueError(f"{name} is {value}: give a number above 0.")
        if longer not in LONGER:
            raise ValueError(
                f"longer is one of {', '.join(LONGER)}, not '{longer}'."
            )
        self.longer = longer
        self.windows = check_windows(windows)
        self.max_length = max_length
        self.n_mels = n_mels
        self.sample_rate = sample_rate
        # A YAML's numbers are of a class that torch.export does not know.
        self.mean = float(mean)
        self.std = float(std)
        self.window_size = sample_rate * 25 // 1000
        self.shift = sample_rate * 10 // 1000
        self.fft_size = 1 << (self.window_size - 1).bit_length()
        window = torch.hann_window(self.window_size, periodic=False)
        mels, _ = get_mel_banks(
            n_mels, self.fft_size, sample_rate, 20.0, 0.0, 100.0, -500.0, 1.0
        )
        # Kaldi's filters leave out the Nyquist bin.
        mels = nn.functional.pad(mels, (0, 1)).T.contiguous()
        self.window: torch.Tensor
        self.mels: torch.Tensor
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("mels", mels, persistent=False)

    def n_frames(self, n_samples: torch.Tensor) -> torch.Tensor:
        """Counts the frames in clips of ``n_samples`` samples, at least one."""
        frames = 1 + (n_samples - self.window_size) // self.shift
        return frames.clamp(1, self.max_length)

    @torch.no_grad()
    def forward(
        self, wavs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes normalized features.

        Arguments
        ---------
        wavs : torch.Tensor
            Waveforms [B, samples], zero-padded to the longest.
        lens : torch.Tensor, optional
            Relative lengths [B]; all are whole by default.

        Returns
        -------
        torch.Tensor
            Features [B, max_length, n_mels].
        """
        if self.draws and self.training:
            wavs, lens = self.crop(wavs, lens)
        with torch.autocast(wavs.device.type, enabled=False):
            feats = self.log_mel(wavs.float(), lens)
            return (feats - self.mean) / (2 * self.std)

    def crop(
        self, wavs: torch.Tensor, lens: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Cuts a random part out of each long clip of [B, samples]."""
        n_samples = count_samples(wavs, lens)[:, None]
        size = min(self.clip_samples, wavs.shape[1])
        first = first_samples(n_samples, size, random=True)
        steps = torch.arange(size, device=wavs.device)
        return wavs.gather(1, first + steps), (n_samples / size).clamp(max=1)[
            :, 0
        ]

    @property
    def draws(self) -> bool:
        """Returns True if long clips are cut at random in training."""
        return self.longer == "random"

    @property
    def clip_samples(self) -> int:
        """Number of samples that it reads at most."""
        return (self.max_length - 1) * self.shift + self.window_size

    @property
    def hop_samples(self) -> int:
        """Number of samples from one frame to the next."""
        return self.shift

    def unnormalized(self, wav: torch.Tensor) -> torch.Tensor:
        """Computes log-mel features [frames, n_mels] of one clip [samples]."""
        n_frames = int(self.n_frames(torch.tensor(len(wav))))
        return self.log_mel(wav[None])[0, :n_frames]

    def record(self) -> dict[str, Any]:
        """Returns sample rate, clip length and statistics, for an artefact."""
        return {
            "sample_rate": self.sample_rate,
            "max_length": self.max_length,
            "mean": self.mean,
            "std": self.std,
            "longer": self.longer,
            "windows": self.windows,
        }

    def options(self) -> dict[str, Any]:
        """Returns all options."""
        return {**self.record(), "n_mels": self.n_mels}

    def log_mel(
        self, wavs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes log-mel features [B, max_length, n_mels], not normalized."""
        total = wavs.shape[1]
        if lens is None:
            lens = torch.ones(len(wavs), device=wavs.device)
        # MPS has no float64; float32 is exact up to 4 million samples.
        exact = torch.float32 if wavs.device.type == "mps" else torch.float64
        n_samples = (lens.to(wavs.device, exact) * total).round().long()
        short = max(0, self.window_size - total)
        wavs = nn.functional.pad(wavs[:, : self.clip_samples], (0, short))
        frames = wavs.unfold(1, self.window_size, self.shift)
        frames = frames - frames.mean(dim=2, keepdim=True)
        # Pre-emphasis inside each frame, its first sample with itself.
        previous = torch.cat([frames[..., :1], frames[..., :-1]], dim=2)
        frames = (frames - 0.97 * previous) * self.window
        power = torch.fft.rfft(frames, n=self.fft_size).abs().square()
        energy = power @ self.mels
        feats = energy.clamp(min=torch.finfo(torch.float32).eps).log()
        feats = nn.functional.pad(
            feats, (0, 0, 0, self.max_length - feats.shape[1])
        )
        steps = torch.arange(self.max_length, device=wavs.device)
        inside = steps < self.n_frames(n_samples)[:, None]
        return feats * inside[..., None]
