"""From the command line to the first training step.

``train.py`` of ESC-50 on clips whose manifests and cache are there, until it
says how many parameters it trains; then it is stopped. Python with PyTorch,
SpeechBrain and transformers' AST imported, and nothing done, for comparison.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import ROOT, Contender

HERE = "benchmarks.start_up"
READY = "Trainable parameters"
IMPORTS = (
    "import speechbrain, transformers.models.audio_spectrogram_transformer"
)


def train(backbone, corpus, clips, frames, device):
    """Runs the recipe up to its first step."""
    folder = tempfile.TemporaryDirectory()
    command = [
        *(sys.executable, "train.py", "hparams/adapter_hou_par.yaml"),
        *("--data_folder", str(Path(corpus) / "ESC-50")),
        *("--source", backbone, "--device", device),
        *("--max_length", str(frames), "--output_folder", folder.name),
        *("--train_folds", "[1]", "--valid_folds", "[2]"),
        *("--test_folds", "[3]"),
    ]

    def run():
        process = subprocess.Popen(
            command,
            cwd=ROOT / "recipes" / "ESC50",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = []
        for line in process.stdout:
            said.append(line)
            if READY in line:
                break
        else:
            raise RuntimeError("".join(said[-20:]))
        process.kill()
        process.stdout.close()
        process.wait()

    run.kept = folder
    return run, {"clips": clips, "opaque": True}


def imports():
    """Imports the libraries."""

    def run():
        subprocess.run([sys.executable, "-c", IMPORTS], check=True)

    return run, {"clips": 1, "opaque": True}


def groups(options) -> dict[str, list[Contender]]:
    """Returns the contenders of each group."""
    sizes = {
        "backbone": options.backbone,
        "corpus": options.corpus,
        "clips": options.clips,
        "frames": options.frames,
        "device": options.device,
    }
    return {
        "To the first step": [
            Contender("imports alone", f"{HERE}:imports"),
            Contender("train.py", f"{HERE}:train", sizes),
        ]
    }
