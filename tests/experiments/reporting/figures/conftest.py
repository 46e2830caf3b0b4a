"""A finished run to draw."""

import json

import numpy as np
import pytest
import soundfile


@pytest.fixture
def run(make_artefact, tmp_path, tiny_folder):
    """A finished run of a mixture of adapters, with six test clips."""
    results = {"hyperparameters": {"source": tiny_folder}}
    (tmp_path / "results.json").write_text(json.dumps(results))
    make_artefact(tmp_path / "artefact", "soft_moa", n_experts=3)
    rng = np.random.default_rng(0)
    entries = {}
    for i in range(6):
        soundfile.write(
            tmp_path / f"{i}.wav", rng.uniform(-0.5, 0.5, 8000), 16000
        )
        entries[str(i)] = {
            "wav": f"{{data_root}}/{i}.wav",
            "label": "abc"[i % 3],
        }
    (tmp_path / "manifest").mkdir()
    (tmp_path / "manifest" / "test.json").write_text(json.dumps(entries))
    return tmp_path
