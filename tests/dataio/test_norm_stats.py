"""Statistics of a corpus: exact, of the training clips alone, unpadded."""

import json

import numpy
import pytest
import soundfile
import torch
from speechbrain_petl.cli.main import main
from speechbrain_petl.dataio.norm_stats import (
    compute_norm_stats,
    running_moments,
)
from speechbrain_petl.lobes.features import ASTFbank


@pytest.fixture
def corpus(tmp_path):
    """Three clips of different lengths and levels, and a manifest of two."""
    rng = numpy.random.default_rng(3)
    for name, seconds, level in [
        ("a", 0.7, 0.9),
        ("b", 2.0, 0.01),
        ("c", 1, 1),
    ]:
        noise = level * rng.uniform(-1, 1, int(16000 * seconds))
        soundfile.write(tmp_path / f"{name}.wav", noise, 16000, "FLOAT")
    entries = {
        name: {"wav": f"{{data_root}}/{name}.wav", "label": "x"}
        for name in "ab"
    }
    (tmp_path / "train.json").write_text(json.dumps(entries))
    return tmp_path


def frames(path, max_length):
    """The features of a clip alone."""
    wav = torch.from_numpy(soundfile.read(path, dtype="float32")[0])[None]
    n_frames = min(1 + (wav.shape[1] - 400) // 160, max_length)
    return ASTFbank(n_frames).log_mel(wav).flatten()


@pytest.mark.parametrize("max_length", [1024, 100])
def test_equal_to_all_frames_at_once(corpus, max_length):
    found = compute_norm_stats(corpus / "train.json", corpus, max_length)
    values = torch.cat(
        [frames(corpus / f"{name}.wav", max_length) for name in "ab"]
    ).double()
    wanted = (values.mean().item(), values.std(correction=0).item())
    assert found == pytest.approx(wanted, rel=1e-6)


def test_moments_far_from_zero_are_exact():
    values = 1e6 + torch.arange(1000.0).double()
    parts = values.split([1, 499, 500])
    assert running_moments(parts) == pytest.approx(
        (values.mean().item(), values.std(correction=0).item()), rel=1e-12
    )


def test_the_command_prints_overrides(corpus, capsys):
    manifest = str(corpus / "train.json")
    assert main(["norm-stats", manifest, "--data_folder", str(corpus)]) == 0
    mean, std = compute_norm_stats(manifest, corpus)
    words = capsys.readouterr().out.split()
    assert words[::2] == ["--feature_mean", "--feature_std"]
    assert [float(word) for word in words[1::2]] == pytest.approx(
        [mean, std], rel=1e-6
    )


def test_without_a_manifest_or_clips(corpus, capsys):
    missing = str(corpus / "no.json")
    assert main(["norm-stats", missing, "--data_folder", str(corpus)]) == 2
    assert "There is no manifest" in capsys.readouterr().err
    (corpus / "train.json").write_text("{}")
    with pytest.raises(ValueError, match="lists no clip"):
        compute_norm_stats(corpus / "train.json", corpus)
