"""Artefacts that compare speakers."""

from pathlib import Path

import pytest
import torch
from hyperpyyaml import load_hyperpyyaml, resolve_references
from speechbrain_petl.artefacts.write import write_artefact

from speechbrain.dataio.encoder import CategoricalEncoder

YAML = Path(__file__).parents[2] / "recipes/VoxCeleb/hparams/ipet.yaml"
DECISION = {"threshold": -0.75, "scoring": "segments"}


@pytest.fixture(scope="session")
def write_speaker(tiny_folder, tmp_path_factory):
    """``write_speaker(windows, **decision)``: an artefact, and its hyperparameters."""

    def make(windows=3, **decision):
        root = tmp_path_factory.mktemp("speaker")
        text = YAML.read_text()
        overrides = {
            "data_folder": "nowhere",
            "source": tiny_folder,
            "max_length": 48,
            "windows": windows,
            "embedding_size": 16,
            "output_folder": str(root / "run"),
        }
        hparams = load_hyperpyyaml(text, overrides)
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for tensor in hparams["encoder"].delta().values():
                tensor += 0.1 * torch.randn(tensor.shape, generator=generator)
        head = hparams["classifier"](hparams["encoder"].embedding_size, 7)
        hparams["head"] = head.without_classes()
        write_artefact(
            root / "artefact",
            hparams["backbone"],
            hparams["compute_features"],
            hparams["encoder"],
            hparams["head"],
            CategoricalEncoder(),
            resolve_references(text, overrides).getvalue(),
            {
                "task": "embedding",
                "decision": {**DECISION, **decision},
                "method": "ipet",
                "trainable": {"head": 16},
                "training": {
                    "corpus": "VoxCeleb1",
                    "selects": "eer",
                    "direction": "min",
                    "hyperparameters": {"lr": 0.1},
                },
                "metrics": {"eer": 0.1},
            },
        )
        return root / "artefact", hparams

    return make
