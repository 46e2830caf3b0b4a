"""A run that is killed anywhere goes on to the very same end."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).parents[2]
SEED, POINTS = 4, 20


@pytest.mark.slow
def test_killed_anywhere(corpora, tiny_folder, record, tmp_path):
    """With SpecAugment and dropout, and a checkpoint at each step."""
    arguments = {
        "data_folder": corpora["ESC50"],
        "source": tiny_folder,
        "max_length": 48,
        "batch_size": 8,
        "num_workers": 0,
        "number_of_epochs": 2,
        "ckpt_interval_minutes": 0,
        "ckpt_interval_steps": 1,
        "adapter_dropout": 0.3,
        "device": "cpu",
    }
    found = kill_and_resume("ipet.yaml", arguments, tmp_path, POINTS)
    phases = Counter(point["phase"] for point in found)
    assert len(phases) == 6, phases
    for phase, times in phases.items():
        record(f"SIGKILL during {phase}", times)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["WavLM", "Whisper's encoder"])
def test_other_backbones_killed(family, corpora, family_overrides, tmp_path):
    """With prompts, adapters and random crops, where there are any."""
    yaml = "wav2vec2/ipet.yaml"
    text = (ROOT / "recipes/ESC50/hparams" / yaml).read_text()
    given = family_overrides(family, text)
    arguments = {
        "data_folder": corpora["ESC50"],
        "batch_size": 8,
        "num_workers": 0,
        "number_of_epochs": 2,
        "ckpt_interval_minutes": 0,
        "ckpt_interval_steps": 1,
        "device": "cpu",
        **{k: "null" if v is None else v for k, v in given.items()},
    }
    kill_and_resume(yaml, arguments, tmp_path, points=6)


@pytest.mark.slow
def test_verification_with_noise_killed(corpora, tiny_folder, tmp_path):
    """Noise and room responses are drawn from where the run stopped."""
    for part in ("speech", "music", "noise", "rir"):
        (tmp_path / "musan" / part).mkdir(parents=True)
        for number in range(3):
            noise = np.random.default_rng(number).uniform(-0.1, 0.1, 4000)
            file = tmp_path / "musan" / part / f"{number}.wav"
            soundfile.write(file, noise, 16000)
    arguments = {
        "data_folder": corpora["VoxCeleb"],
        "source": tiny_folder,
        "musan_folder": tmp_path / "musan",
        "rir_folder": tmp_path / "musan" / "rir",
        "max_length": 48,
        "batch_size": 8,
        "num_workers": 0,
        "number_of_epochs": 2,
        "ckpt_interval_minutes": 0,
        "ckpt_interval_steps": 1,
        "device": "cpu",
    }
    kill_and_resume("ipet.yaml", arguments, tmp_path, 6, recipe="VoxCeleb")


def kill_and_resume(yaml, arguments, tmp_path, points, recipe="ESC50"):
    """Kills runs of a recipe at points, and asks that they end the same."""
    yaml = ROOT / "recipes" / recipe / "hparams" / yaml
    command = [sys.executable, str(Path(__file__).with_name("kill_points.py"))]
    command += [str(yaml), str(tmp_path), str(points), str(SEED)]
    command += [f"--{key}={value}" for key, value in arguments.items()]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "SPEECHBRAIN_PETL_CACHE": str(tmp_path / "cache"),
    }
    run = subprocess.run(
        [*command, "--noprogressbar"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    found = json.loads((tmp_path / "found.json").read_text())
    assert len(found) >= points
    for point in found:
        assert point["killed"], point
        assert point["bit_equal"], point
    return found
