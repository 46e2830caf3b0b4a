"""From audio files of all kinds to 16 kHz mono."""

import json

import numpy as np
import pytest
import soundfile
from speechbrain_petl.dataio import load_label_encoder, make_datasets

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


def test_a_missing_label_map_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no label map at"):
        load_label_encoder(str(tmp_path / "label_encoder.txt"))
