"""From a manifest to batches of 16 kHz mono waveforms and label indices."""

from speechbrain.dataio import audio_io
from speechbrain.dataio.dataset import DynamicItemDataset
from speechbrain.dataio.encoder import CategoricalEncoder
from speechbrain.dataio.preprocess import AudioNormalizer
from speechbrain.utils.data_pipeline import provides, takes


def load_label_encoder(path: str) -> CategoricalEncoder:
    """Reads the label map that the data preparation wrote.

    Raises
    ------
    ValueError
        If it is missing.
    """
    encoder = CategoricalEncoder()
    if not encoder.load_if_possible(path):
        raise ValueError(
            f"There is no label map at '{path}': run the data preparation, "
            "which writes it beside the manifests."
        )
    encoder.expect_len(len(encoder))
    return encoder


def make_datasets(
    manifests: dict[str, str],
    data_folder: str,
    label_encoder: CategoricalEncoder,
    sample_rate: int = 16000,
) -> dict[str, DynamicItemDataset]:
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

    Returns
    -------
    dict[str, DynamicItemDataset]
        Datasets that give ``id``, ``sig`` (waveform [samples]) and ``target``.
    """
    normalize = AudioNormalizer(sample_rate)

    @takes("wav")
    @provides("sig")
    def audio_pipeline(wav):
        """Decodes a file of any rate and number of channels."""
        audio, rate = audio_io.load(wav, channels_first=False)
        return normalize(audio, rate)

    @takes("label")
    @provides("target")
    def label_pipeline(label):
        """Turns a label into its index."""
        return label_encoder.encode_label(label)

    return {
        split: DynamicItemDataset.from_json(
            json_path=path,
            replacements={"data_root": data_folder},
            dynamic_items=[audio_pipeline, label_pipeline],
            output_keys=["id", "sig", "target"],
        )
        for split, path in manifests.items()
    }
