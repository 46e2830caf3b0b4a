"""Augmentation of log-mel features as IPET's code does it."""

import torch
from torch import nn
from torchaudio.functional import mask_along_axis_iid


class SilentMasks(nn.Module):
    """Masks of silence, and if wanted noise and a shift in time.

    Those of AST in the code of IPET (arXiv 2211.02227): one mask along the
    mel bins and one along the frames for each clip, both before the features
    are normalized, so that they hold what silence has after it. The noise is
    uniform in [0, 1), times a level of each clip uniform in [0, ``noise``).

    Arguments
    ---------
    freq_mask, time_mask : int
        Widest masks in mel bins and frames, not included.
    mean, std : float
        Statistics of the features, which are (x - mean) / (2 std).
    noise : float
        Highest level of the noise; 0 for none.
    shift : int
        Frames by which a clip is rolled at most, from ``-shift`` to
        ``shift - 1``; 0 for none.

    Example
    -------
    >>> masks = SilentMasks(48, 48, mean=-4.0, std=2.0)
    >>> feats = masks(torch.zeros(1, 128, 100))
    >>> sorted(feats.unique().tolist())
    [0.0, 1.0]
    """

    def __init__(
        self,
        freq_mask: int,
        time_mask: int,
        mean: float,
        std: float,
        noise: float = 0.0,
        shift: int = 0,
    ):
        super().__init__()
        self.freq_mask = freq_mask
        self.time_mask = time_mask
        self.silence = -mean / (2 * std)
        self.noise = noise
        self.shift = shift

    def forward(self, feats: torch.Tensor) -> torch.Tensor:
        """Returns other features [B, mel, frame]."""
        for axis, width in ((1, self.freq_mask), (2, self.time_mask)):
            if width:
                feats = mask_along_axis_iid(feats, width, self.silence, axis)
        if self.noise:
            level = self.noise * torch.rand(len(feats), 1, 1)
            noise = level * torch.rand(feats.shape)
            feats = feats + noise.to(feats)
        if self.shift:
            shifts = torch.randint(-self.shift, self.shift, (len(feats),))
            feats = torch.stack(
                [f.roll(int(n), dims=1) for f, n in zip(feats, shifts)]
            )
        return feats
