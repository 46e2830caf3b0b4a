"""The linear probe as an artefact: the backbone as it is, and a fitted head."""

from pathlib import Path
from typing import Any

import torch
from hyperpyyaml import resolve_references
from speechbrain_petl.adapt.probe import Probe
from speechbrain_petl.adapt.recipe import LINEAR, Recipe, as_yaml
from speechbrain_petl.adapt.sounds import Sounds
from speechbrain_petl.artefacts.write import describe, write_artefact
from torch import nn


class LinearModel:
    """What a linear probe is made of: front end and frozen encoder.

    Arguments
    ---------
    recipe : Recipe
        The YAMLs.
    options : dict
        Overrides of the YAML, see ``shared_options``.
    folder : Path
        Output folder that the YAML is given.
    device : str
        Where it is computed.
    """

    def __init__(
        self,
        recipe: Recipe,
        options: dict[str, Any],
        folder: Path,
        device: str = "cpu",
    ):
        self.options = {
            **options,
            "data_folder": "none",
            "output_folder": folder,
        }
        self.text = recipe.file(LINEAR).read_text(encoding="utf-8")
        self.source = recipe.source
        made = recipe.modules(LINEAR, self.options)
        self.backbone = made["backbone"]
        self.front_end = made["compute_features"].eval()
        self.encoder = made["encoder"].eval()
        self.classifier = made["classifier"]
        for module in (self.backbone, self.front_end, self.encoder):
            module.to(device)

    def write(
        self,
        folder: Path,
        probe: Probe,
        sounds: Sounds,
        metrics: dict[str, float],
        decision: dict[str, Any],
    ) -> None:
        """Writes the artefact of a fitted probe.

        Arguments
        ---------
        folder : Path
            Where to.
        probe : Probe
            The fitted head.
        sounds : Sounds
            What it was fitted on.
        metrics : dict
            What ``artefact.json`` says of its quality.
        decision : dict
            What it decides by.
        """
        head = self.classifier(self.backbone.embedding_size, len(sounds.labels))
        layers = [m for m in head.modules() if isinstance(m, nn.Linear)]
        with torch.no_grad():
            layers[-1].weight.copy_(probe.weight)
            layers[-1].bias.copy_(probe.bias)
        changes = as_yaml({"source": self.source, **self.options})
        write_artefact(
            folder,
            self.backbone,
            self.front_end,
            self.encoder,
            head,
            sounds.labels,
            resolve_references(self.text, changes).getvalue(),
            {
                "task": sounds.task.name,
                "decision": decision,
                "method": LINEAR,
                "trainable": {
                    **self.encoder.count_parameters(),
                    "head": sum(p.numel() for p in head.parameters()),
                },
                "training": {
                    "corpus": Path(sounds.data_folder).name,
                    "selects": sounds.task.metric.name,
                    "direction": sounds.task.metric.direction,
                    "clips": {
                        split: describe(sounds.manifest(split))
                        for split in ("train", "valid")
                    },
                    "hyperparameters": {
                        "solver": "L-BFGS",
                        "decay": probe.decay,
                        "max_length": sounds.max_length,
                    },
                },
                "metrics": metrics,
            },
        )
