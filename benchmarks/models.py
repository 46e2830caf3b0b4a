"""Backbones, models of the recipes and data, as the benchmarks use them."""

import atexit
import runpy
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import torch

RECIPE = Path(__file__).parents[1] / "recipes" / "ESC50" / "hparams"
N_CLASSES = 50  # of the recipe's corpus
#: Sizes that are not AST-base's, for trials in seconds.
SMALL = {
    "hidden_size": 192,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 384,
}


def make_backbone(folder: Path, **sizes) -> str:
    """Writes an AST with random weights: AST-base, but for what is given."""
    from transformers import ASTConfig, ASTModel

    torch.manual_seed(0)
    ASTModel(ASTConfig(**sizes)).save_pretrained(folder)
    return str(folder)


def recipe(yaml: str, backbone: str, **overrides) -> tuple[str, dict]:
    """Returns a recipe's YAML, and overrides for a local backbone."""
    text = (RECIPE / f"{yaml}.yaml").read_text()
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    paths = {"data_folder": "none", "output_folder": folder.name}
    return text, {**paths, "source": backbone, **overrides}


def load_recipe(yaml: str, backbone: str, **overrides) -> dict:
    """Builds the objects of a recipe's YAML on a local backbone."""
    from hyperpyyaml import load_hyperpyyaml

    return load_hyperpyyaml(*recipe(yaml, backbone, **overrides))


def recipe_brain() -> type:
    """Returns the Brain of the recipe's ``train.py``."""
    folder = RECIPE.parent
    sys.path.insert(0, str(folder))  # its data preparation
    return runpy.run_path(str(folder / "train.py"))["ESC50Brain"]


def write_clips(
    folder: Path, n_clips: int, seconds: float = 5.0, rate: int = 44100
) -> Path:
    """Writes clips of noise in ESC-50's layout and sample rate.

    They are of fold 1; folds 2 and 3 get one clip each on top.
    """
    (folder / "audio").mkdir(parents=True)
    (folder / "meta").mkdir()
    generator = np.random.default_rng(0)
    rows = ["filename,fold,target,category,esc10,src_file,take"]
    for i in range(n_clips + 2):
        wave = generator.uniform(-0.5, 0.5, round(seconds * rate))
        soundfile.write(folder / "audio" / f"{i}.wav", wave, rate, "PCM_16")
        fold, label = max(1, i - n_clips + 2), ("dog", "rooster")[i % 2]
        rows.append(f"{i}.wav,{fold},{i % 2},{label},True,0,A")
    (folder / "meta" / "esc50.csv").write_text("\n".join(rows) + "\n")
    return folder


def plain_step(forward, modules, inputs, opt_class, precision, device):
    """Makes a step of a plain training loop on inputs [B, ...], and facts."""
    targets = (torch.arange(len(inputs)) % N_CLASSES).to(device)
    tensors = [p for m in modules for p in m.to(device).parameters()]
    trained = [p for p in tensors if p.requires_grad]
    optimizer = opt_class(trained)
    inputs = inputs.to(device)

    def run():
        with autocast(device, precision):
            logits = forward(inputs)
        loss = torch.nn.functional.cross_entropy(logits.float(), targets)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    facts = {"clips": len(inputs), "trained": sum(p.numel() for p in trained)}
    return run, facts


def autocast(device: str, precision: str):
    """Returns the autocast context of a precision, disabled for fp32."""
    kind = device.partition(":")[0]
    return torch.autocast(kind, torch.bfloat16, enabled=precision == "bf16")
