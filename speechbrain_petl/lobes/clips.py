"""Clips of different lengths in one padded batch."""

import torch

EPS = 1e-7  # added to a variance, as by transformers' Wav2Vec2FeatureExtractor


def count_samples(
    wavs: torch.Tensor, lens: torch.Tensor | None
) -> torch.Tensor:
    """Returns the lengths [B] of waveforms [B, samples], at least 1.

    Example
    -------
    >>> count_samples(torch.zeros(2, 5), torch.tensor([1.0, 0.6]))
    tensor([5, 3])
    """
    total = wavs.shape[1]
    if lens is None:
        return torch.full((len(wavs),), total, device=wavs.device)
    exact = lens.to(wavs.device, torch.float64) * total
    return exact.round().long().clamp(1, total)


def normalize(clips: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """Normalizes clips to zero mean and unit variance over some samples.

    Arguments
    ---------
    clips : torch.Tensor
        Waveforms [B, samples].
    inside : torch.Tensor
        True [B, samples] where a sample counts.

    Returns
    -------
    torch.Tensor
        Waveforms [B, samples], those samples included that do not count.

    Example
    -------
    >>> inside = torch.tensor([[True, True, False]])
    >>> normalize(torch.tensor([[1.0, 3.0, 9.0]]), inside)
    tensor([[-1.,  1.,  7.]])
    """
    count = inside.sum(dim=1, keepdim=True)
    mean = (clips * inside).sum(dim=1, keepdim=True) / count
    centered = clips - mean
    var = (centered * inside).square().sum(dim=1, keepdim=True) / count
    return centered * (var + EPS).rsqrt()


def by_length(
    wavs: torch.Tensor, lens: torch.Tensor | None
) -> list[tuple[list[int], torch.Tensor]]:
    """Groups clips of one length, each without its padding.

    Arguments
    ---------
    wavs : torch.Tensor
        Waveforms [B, samples].
    lens : torch.Tensor, optional
        Relative lengths [B]; may be missing for one clip only.

    Returns
    -------
    list of tuple
        Rows and clips [rows, samples] of each length.

    Raises
    ------
    ValueError
        If there are several clips without lengths.

    Example
    -------
    >>> groups = by_length(torch.rand(3, 4), torch.tensor([0.5, 1.0, 0.5]))
    >>> [(rows, clips.shape[1]) for rows, clips in groups]
    [([0, 2], 2), ([1], 4)]
    """
    if lens is None and len(wavs) > 1:
        raise ValueError(
            "A batch of clips of any length needs their relative lengths: "
            "give lens, or give the backbone and its front end a max_length."
        )
    groups: dict[int, list[int]] = {}
    for row, n_samples in enumerate(count_samples(wavs, lens).tolist()):
        groups.setdefault(n_samples, []).append(row)
    return [(rows, wavs[rows, :n]) for n, rows in groups.items()]
