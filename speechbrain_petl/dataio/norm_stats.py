"""Mean and standard deviation of a corpus's log-mel features."""

from collections.abc import Iterable, Iterator
from functools import reduce
from pathlib import Path

import torch
from speechbrain_petl.dataio.datasets import read_clip, read_manifest
from speechbrain_petl.lobes.features import ASTFbank
from tqdm import tqdm

from speechbrain.dataio.preprocess import AudioNormalizer
from speechbrain.processing.features import (
    combine_gaussian_statistics,
    gaussian_statistics,
)


def compute_norm_stats(
    manifest: str | Path,
    data_folder: str | Path,
    max_length: int = 1024,
    sample_rate: int = 16000,
) -> tuple[float, float]:
    """Computes the statistics of the clips that a manifest lists.

    Give it the training manifest, as no other clip may count. Clips are
    neither padded nor augmented. (AST's script averages over padded clips,
    and over batches.)

    Arguments
    ---------
    manifest : str or Path
        The ``train.json`` of a run.
    data_folder : str or Path
        Folder of the corpus, for ``{data_root}`` in the manifest.
    max_length : int
        Number of frames of 10 ms after which a clip is cut, as in training.
    sample_rate : int
        Sample rate of the features in Hz.

    Returns
    -------
    mean, std : float
        Statistics over all mel bins of all frames: ``feature_mean`` and
        ``feature_std`` of a recipe.

    Raises
    ------
    ValueError
        If there is no such manifest, it lists no clip, or a file cannot be
        read.

    Example
    -------
    >>> import json, soundfile
    >>> folder = getfixture("tmp_path")
    >>> soundfile.write(
    ...     folder / "a.wav", torch.rand(16000).numpy() - 0.5, 16000
    ... )
    >>> entry = {"wav": "{data_root}/a.wav", "label": "noise"}
    >>> (folder / "train.json").write_text(json.dumps({"a": entry}))
    53
    >>> mean, std = compute_norm_stats(folder / "train.json", folder)
    >>> -10 < mean < 5, 0 < std < 5
    (True, True)
    """
    entries = read_manifest(str(manifest), str(data_folder))
    if not entries:
        raise ValueError(f"{manifest} lists no clip to take statistics of.")
    fbank = ASTFbank(max_length, sample_rate=sample_rate)
    normalizer = AudioNormalizer(sample_rate)

    def features() -> Iterator[torch.Tensor]:
        """Yields the features [frames, mel] of each clip."""
        for entry in tqdm(entries.values(), unit="clip", disable=None):
            wav = read_clip(entry, normalizer)
            n_frames = fbank.n_frames(torch.tensor(len(wav)))
            yield fbank.log_mel(wav[None])[0, :n_frames]

    return running_moments(features())


def running_moments(tensors: Iterable[torch.Tensor]) -> tuple[float, float]:
    """Computes mean and standard deviation over all values of many tensors.

    Exact, in float64, and in one pass.

    Arguments
    ---------
    tensors : iterable of torch.Tensor
        Tensors of any shape, at least one, none of them empty.

    Returns
    -------
    mean, std : float

    Example
    -------
    >>> running_moments([torch.tensor([1.0, 3.0]), torch.tensor([5.0, 3.0])])
    (3.0, 1.4142135623730951)
    """
    statistics = (gaussian_statistics(tensor.double()) for tensor in tensors)
    _, mean, variance = reduce(combine_gaussian_statistics, statistics)
    return mean.item(), variance.sqrt().item()
