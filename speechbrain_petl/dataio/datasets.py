"""From a manifest to batches of 16 kHz mono waveforms and label indices."""

from speechbrain_petl.dataio.audio import read_audio
from speechbrain_petl.dataio.cache import WaveformCache

from speechbrain.dataio.dataio import load_data_json
from speechbrain.dataio.dataset import DynamicItemDataset
from speechbrain.dataio.encoder import CategoricalEncoder
from speechbrain.dataio.preprocess import AudioNormalizer
from speechbrain.utils.data_pipeline import provides, takes


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
    normalize = AudioNormalizer(sample_rate)
    cache = WaveformCache(cache_gb, sample_rate)

    def decode(wav):
        """Decodes a file of any rate and number of channels."""
        return read_audio(wav, normalize)

    @takes("wav")
    @provides("sig")
    def audio_pipeline(wav):
        """Gives a waveform [samples]."""
        return cache.get(wav, decode)

    @takes("label")
    @provides("target")
    def label_pipeline(label):
        """Turns a label into its index."""
        return label_encoder.encode_label(label)

    datasets = {}
    for split, path in manifests.items():
        entries = read_manifest(path, data_folder)
        datasets[split] = (
            None
            if not entries
            else DynamicItemDataset(
                entries,
                dynamic_items=[audio_pipeline, label_pipeline],
                output_keys=["id", "sig", "target"],
            )
        )
    return datasets
