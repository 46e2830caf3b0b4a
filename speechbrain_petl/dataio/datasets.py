"""Datasets of mono waveforms and targets, from manifests."""

from functools import partial
from pathlib import Path

import torch
from speechbrain_petl.dataio.audio import read_audio
from speechbrain_petl.dataio.cache import WaveformCache
from speechbrain_petl.dataio.labels import index_of
from speechbrain_petl.dataio.multi_hot import multi_hot

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
        Folder of the corpus, for ``{data_root}`` in the manifest.

    Returns
    -------
    dict of str to dict
        Entries by id, each with at least ``wav`` and ``label``: a text, or
        in all entries a list of texts.

    Raises
    ------
    ValueError
        If it is missing or malformed.
    """
    try:
        entries = load_data_json(path, {"data_root": str(data_folder)})
        whole = all(isinstance(entry["wav"], str) for entry in entries.values())
        whole &= _alike([entry["label"] for entry in entries.values()])
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
            f"{path} is no manifest, with a wav and a label for each clip, or "
            "a list of labels for each: "
            "remove it, and run the data preparation again."
        )
    return entries


def _alike(labels):
    """Returns True if all labels are texts, or all are lists of texts."""
    if not any(isinstance(label, list) for label in labels):
        labels = [labels]
    return all(
        isinstance(several, list) and all(isinstance(x, str) for x in several)
        for several in labels
    )


def read_clip(entry: dict, normalizer: AudioNormalizer) -> torch.Tensor:
    """Reads the waveform of an entry of a manifest.

    Arguments
    ---------
    entry : dict
        Entry with ``wav``; with ``start`` and ``stop``, a part of the file.
    normalizer : AudioNormalizer
        Has the wanted sample rate; averages the channels.

    Returns
    -------
    torch.Tensor
        Waveform [time].
    """
    part = entry.get("start", 0), entry.get("stop")
    return read_audio(entry["wav"], normalizer, *part)


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

    def __call__(
        self, wav: str, start: int = 0, stop: int | None = None
    ) -> torch.Tensor:
        """Returns the waveform [time] of a file, or of samples of it."""
        whole = not start and stop is None
        part = "" if whole else f"{start}-{stop}"
        decode = partial(self.decode, start=start, stop=stop)
        return self.cache.get(wav, decode, part)

    def decode(
        self, wav: str | Path, start: int = 0, stop: int | None = None
    ) -> torch.Tensor:
        """Returns the same, past the cache."""
        return read_audio(str(wav), self.normalizer, start, stop)


class Target:
    """From a label to its index, or from several to a vector.

    Arguments
    ---------
    label_encoder : CategoricalEncoder
        Label map of the corpus.
    """

    def __init__(self, label_encoder: CategoricalEncoder):
        self.label_encoder = label_encoder

    def __call__(self, label: str | list[str]) -> int | torch.Tensor:
        """Returns the index of a label, or of a list the ``multi_hot``."""
        if isinstance(label, list):
            return multi_hot(label, self.label_encoder)
        return index_of(label, self.label_encoder)


def make_datasets(
    manifests: dict[str, str],
    data_folder: str,
    label_encoder: CategoricalEncoder | None,
    sample_rate: int = 16000,
    cache_gb: float = 0.0,
) -> dict[str, DynamicItemDataset | None]:
    """Makes the datasets of a recipe, which also spawned workers can load.

    Arguments
    ---------
    manifests : dict[str, str]
        JSON manifest of each split, with entries
        ``{id: {"wav": "{data_root}/...", "label": ...}}``, and for a part of
        a file ``start`` and ``stop``, in samples at the rate of the file. A
        label is a text, or a list of them.
    data_folder : str
        Folder of the corpus, for ``{data_root}`` in the manifests.
    label_encoder : CategoricalEncoder or None
        Label map of the corpus; None for splits whose labels are no classes.
    sample_rate : int
        Sample rate of the waveforms in Hz.
    cache_gb : float
        Size limit of the cache of decoded clips, see ``WaveformCache``.

    Returns
    -------
    dict[str, DynamicItemDataset or None]
        Datasets with the keys ``id``, ``sig`` (waveform [time]) and, with a
        label map, ``target`` (index of the label, or of several labels their
        zeros and ones [classes]); None for a manifest without entries, as of
        a protocol without validation.
    """
    waveform = Waveform(sample_rate, WaveformCache(cache_gb, sample_rate))
    datasets: dict[str, DynamicItemDataset | None] = {}
    for split, path in manifests.items():
        entries = read_manifest(path, data_folder)
        datasets[split] = None
        if entries:
            for entry in entries.values():
                entry.setdefault("start", 0)
                entry.setdefault("stop", None)
            dataset = DynamicItemDataset(entries)
            takes = ["wav", "start", "stop"]
            dataset.add_dynamic_item(waveform, takes=takes, provides="sig")
            keys = ["id", "sig"]
            if label_encoder is not None:
                target = Target(label_encoder)
                dataset.add_dynamic_item(
                    target, takes="label", provides="target"
                )
                keys.append("target")
            dataset.set_output_keys(keys)
            datasets[split] = dataset
    return datasets
