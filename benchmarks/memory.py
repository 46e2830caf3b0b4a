"""Memory for time: gradient checkpointing and accumulation.

All take one update of the same batch. Accumulation takes it in quarters.
"""

import torch

from benchmarks.measure import Contender
from benchmarks.models import autocast, load_recipe
from benchmarks.training_step import HERE as STEP

HERE = "benchmarks.memory"
PARTS = 4


def accumulated(yaml, backbone, batch, frames, precision, device, parts):
    """Makes a step whose batch goes through the model in parts."""
    hparams = load_recipe(yaml, backbone, max_length=frames)
    head = torch.nn.Linear(hparams["backbone"].config.hidden_size, 50)
    model = torch.nn.Sequential(hparams["encoder"], head).to(device).train()
    optimizer = hparams["opt_class"](
        [p for p in model.parameters() if p.requires_grad]
    )
    feats = torch.randn(batch, frames, 128, device=device)
    targets = (torch.arange(batch) % 50).to(device)

    def run():
        for some, wanted in zip(
            feats.chunk(parts), targets.chunk(parts), strict=True
        ):
            with autocast(device, precision):
                logits = model(some)
            loss = torch.nn.functional.cross_entropy(logits.float(), wanted)
            (loss / parts).backward()
        optimizer.step()
        optimizer.zero_grad()

    return run, {"clips": batch}


def groups(options) -> dict[str, list[Contender]]:
    """Returns the contenders of each group."""
    common = {
        "backbone": options.backbone,
        "batch": 2 * options.batch,
        "frames": options.frames,
        "precision": "bf16",
        "device": options.device,
    }
    found = {}
    for yaml in ("adapter_hou_par", "full_ft"):
        sizes = {**common, "yaml": yaml}
        found[f"{yaml}: an update"] = [
            Contender("plain", f"{STEP}:ours", sizes),
            Contender(
                "gradient_checkpointing",
                f"{STEP}:ours",
                sizes | {"gradient_checkpointing": True},
            ),
            Contender(
                f"grad_accumulation_factor {PARTS}",
                f"{HERE}:accumulated",
                sizes | {"parts": PARTS},
            ),
        ]
    return found
