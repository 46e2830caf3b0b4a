"""From audio files of all kinds to 16 kHz mono."""

import json

import numpy as np
import pytest
import soundfile
from speechbrain_petl.dataio.datasets import make_datasets, read_manifest

from speechbrain.dataio.batch import PaddedBatch
from speechbrain.dataio.dataloader import SaveableDataLoader
from speechbrain.dataio.encoder import CategoricalEncoder


def test_any_rate_and_channels_become_16_khz_mono(tmp_path):
    labels = CategoricalEncoder()
    labels.update_from_iterable(["tone"])
    labels.expect_len(1)
    entries = {}
    for rate in (8000, 16000, 44100):
        for channels in (1, 2):
            t = np.arange(rate // 2) / rate
            wave = 0.5 * np.sin(2 * np.pi * 440 * t)
            stereo = np.stack([wave, 0 * wave], axis=1)
            name = f"{rate}_{channels}.wav"
            soundfile.write(tmp_path / name, stereo[:, :channels], rate)
            entries[name] = {"wav": "{data_root}/" + name, "label": "tone"}
    manifest = tmp_path / "train.json"
    manifest.write_text(json.dumps(entries))
    data = make_datasets({"train": str(manifest)}, str(tmp_path), labels)
    for clip in data["train"]:
        channels = int(clip["id"].split("_")[1][0])
        assert clip["sig"].shape == (8000,)
        assert clip["target"] == 0
        level = clip["sig"][1000:-1000].abs().max().item()
        assert level == pytest.approx(0.5 / channels, abs=0.02)


@pytest.mark.parametrize("rate", [8000, 11025, 96000, 192000])
@pytest.mark.parametrize(
    "subtype",
    "PCM_U8 PCM_16 PCM_24 PCM_32 FLOAT DOUBLE ULAW IMA_ADPCM MS_ADPCM".split(),
)
def test_wav_of_every_kind(subtype, rate, tmp_path):
    labels = CategoricalEncoder()
    labels.update_from_iterable(["tone"])
    labels.expect_len(1)
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate // 2) / rate)
    stereo = np.stack([wave, wave], axis=1)
    soundfile.write(tmp_path / "a.wav", stereo, rate, subtype)
    manifest = tmp_path / "train.json"
    manifest.write_text('{"a": {"wav": "{data_root}/a.wav", "label": "tone"}}')
    data = make_datasets({"train": str(manifest)}, str(tmp_path), labels)
    (clip,) = data["train"]
    # ADPCM comes in blocks, of which the last one may be padded.
    padded = 0.1 if "ADPCM" in subtype else 0.001
    assert 8000 <= len(clip["sig"]) <= 8000 * (1 + padded)
    reference = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8000) / 16000)
    error = clip["sig"][500:7500].numpy() - reference[500:7500]
    assert np.abs(error).max() < 0.05, "4 bits of ADPCM and all"


@pytest.mark.fault("data loaded by worker processes that are spawned")
def test_workers_may_be_spawned(tmp_path):
    """As on macOS, on Windows and from Python 3.14 on."""
    labels = CategoricalEncoder()
    labels.update_from_iterable(["low", "high"])
    labels.expect_len(2)
    entries = {}
    for name, label in (("a", "low"), ("b", "high")):
        soundfile.write(tmp_path / f"{name}.wav", np.full(8000, 0.1), 8000)
        entries[name] = {"wav": f"{{data_root}}/{name}.wav", "label": label}
    manifest = tmp_path / "train.json"
    manifest.write_text(json.dumps(entries))
    data = make_datasets(
        {"train": str(manifest)}, str(tmp_path), labels, cache_gb=0.1
    )
    loader = SaveableDataLoader(
        data["train"],
        batch_size=2,
        num_workers=1,
        multiprocessing_context="spawn",
        collate_fn=PaddedBatch,
    )
    (batch,) = loader
    assert batch.id == ["a", "b"] and batch.target.flatten().tolist() == [0, 1]
    assert batch.sig.data.shape == (2, 16000)


def encoder(*names):
    """A label map."""
    labels = CategoricalEncoder()
    labels.update_from_iterable(names)
    labels.expect_len(len(names))
    return labels


def write(folder, *labels):
    """A manifest of clips of the same silence."""
    soundfile.write(folder / "a.wav", np.zeros(1600), 16000)
    entries = {
        f"c{i}": {"wav": "{data_root}/a.wav", "label": label}
        for i, label in enumerate(labels)
    }
    manifest = folder / "train.json"
    manifest.write_text(json.dumps(entries))
    return str(manifest)


def test_clips_with_several_labels_or_none(tmp_path):
    """Targets are batched as they are, whatever the clips' lengths."""
    manifest = write(tmp_path, ["low", "mid"], [], ["high"])
    names = encoder("low", "mid", "high")
    data = make_datasets({"train": manifest}, str(tmp_path), names)
    batch = PaddedBatch(list(data["train"]))
    wanted = [[1, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert batch.target.data.tolist() == wanted


@pytest.mark.parametrize("label", ["loud", ["low", "loud"]])
def test_an_unknown_label_is_named(label, tmp_path):
    manifest = write(tmp_path, label)
    data = make_datasets({"train": manifest}, str(tmp_path), encoder("low"))
    with pytest.raises(ValueError, match="'loud' is not in the label map of 1"):
        list(data["train"])


@pytest.mark.parametrize("labels", [["low", ["low"]], [["low", 1]], [None]])
def test_labels_of_several_kinds_are_no_manifest(labels, tmp_path):
    with pytest.raises(ValueError, match="is no manifest, with a wav and a"):
        read_manifest(write(tmp_path, *labels), str(tmp_path))
