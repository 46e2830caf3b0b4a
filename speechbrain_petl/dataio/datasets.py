"""From a manifest to batches of 16 kHz mono waveforms and label indices."""

from pathlib import Path

import torch
from speechbrain_petl.dataio.audio import read_audio
from speechbrain_petl.dataio.cache import WaveformCache

from speechbrain.dataio.dataio import load_data_json
from speechbrain.dataio.dataset import DynamicItemDataset
from speechbrain.dataio.encoder import CategoricalEncoder
from speechbrain.dataio.preprocess import AudioNormalizer


def read_manifest(path: str, data_folder: str) -> dict[str, dict]:
    """Reads a manifest.

    Arguments
    ---------
    path : str
        The JSON file.
    data_folder : str
        What ``{data_root}`` stands for.

    Returns
    -------
    dict of str to dict
        Entries by id, each with ``wav`` and ``label``.

    Raises
    ------
    ValueError
        If it is missing, or no manifest.
    """
    try:
        entries = load_data_json(path, {"data_root": str(data_folder)})
        whole = all(
            isinstance(entry[key], str)
            for entry in entries.values()
            for key in ("wav", "label")
        )
    except FileNotFoundError as error:
        raise ValueError(
            f"There is no manifest {path}: a run's data preparation writes it."
        ) from error
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        RecursionError,
    ):
        whole = False
    if not whole:
        raise ValueError(
            f"{path} is no manifest, with a wav and a label for each clip: "
            "remove it, and run the data preparation again."
        )
    return entries


class Waveform:
    """From the path of a file of any rate and channels to its waveform.

    An object, and no function inside another one, since worker processes
    that are spawned receive it pickled.

    Arguments
    ---------
    sample_rate : int
        Sample rate of the waveforms in Hz.
    cache : WaveformCache
        Holds what was decoded before.

    Example
    -------
    >>> import soundfile
    >>> path = str(getfixture("tmp_path") / "a.wav")
    >>> soundfile.write(path, [0.0] * 100, 8000)
    >>> Waveform(16000, WaveformCache(0))(path).shape
    torch.Size([200])
    """

    def __init__(self, sample_rate: int, cache: WaveformCache):
        self.normalizer = AudioNormalizer(sample_rate)
        self.cache = cache

    def __call__(self, wav: str) -> torch.Tensor:
        """Returns the waveform [time] of a file."""
        return self.cache.get(wav, self.decode)

    def decode(self, wav: str | Path) -> torch.Tensor:
        """Returns the waveform [time] of a file, past the cache."""
        return read_audio(str(wav), self.normalizer)


class Target:
    """From a label to its index.

    Arguments
    ---------
    label_encoder : CategoricalEncoder
        Label map of the corpus.
    """

    def __init__(self, label_encoder: CategoricalEncoder):
        self.label_encoder = label_encoder

    def __call__(self, label: str) -> int:
        """Returns the index of a label."""
        return self.label_encoder.encode_label(label)


def make_datasets(
    manifests: dict[str, str],
    data_folder: str,
    label_encoder: CategoricalEncoder,
    sample_rate: int = 16000,
    cache_gb: float = 0.0,
) -> dict[str, DynamicItemDataset | None]:
    """Makes the datasets of a recipe.

    Arguments
    ---------
    manifests : dict[str, str]
        From a split's name to its JSON manifest, with entries
        ``{id: {"wav": "{data_root}/...", "label": ...}}``.
    data_folder : str
        What ``{data_root}`` stands for.
    label_encoder : CategoricalEncoder
        The corpus's label map.
    sample_rate : int
        Rate in Hz that clips are resampled to; channels are averaged.
    cache_gb : float
        Size of the cache of decoded clips, see ``WaveformCache``.

    Returns
    -------
    dict[str, DynamicItemDataset or None]
        Datasets that give ``id``, ``sig`` (waveform [samples]) and
        ``target``; None for a manifest without entries, such as the
        validation split of a protocol that has none.
    """
    waveform = Waveform(sample_rate, WaveformCache(cache_gb, sample_rate))
    target = Target(label_encoder)
    datasets: dict[str, DynamicItemDataset | None] = {}
    for split, path in manifests.items():
        entries = read_manifest(path, data_folder)
        datasets[split] = None
        if entries:
            dataset = DynamicItemDataset(entries)
            dataset.add_dynamic_item(waveform, takes="wav", provides="sig")
            dataset.add_dynamic_item(target, takes="label", provides="target")
            dataset.set_output_keys(["id", "sig", "target"])
            datasets[split] = dataset
    return datasets
