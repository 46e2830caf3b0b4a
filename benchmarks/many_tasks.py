"""Twenty runs on one corpus against one, the states' computation included.

Two learners by ten seeds, as ``experiments run`` carries them out, from an
empty cache to artefacts: whoever is first computes the states of the corpus,
all others find them.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import ROOT, Contender

HERE = "benchmarks.many_tasks"
VARIANTS = ("weighted_sum", "l_adapters")
SEEDS = range(1, 11)
CLIPS = 4  # times as many as other subjects take


def cells(backbone, corpus, clips, frames, device, variants, seeds):
    """Carries out a plan, from nothing."""
    kept = tempfile.TemporaryDirectory()
    folder = Path(kept.name)
    plan = {
        "title": "many",
        "corpora": ["ESC50"],
        "variants": variants,
        "folds": [1],
        "seeds": seeds,
        "overrides": {
            "source": backbone,
            "device": device,
            "max_length": frames,
            "number_of_epochs": 10,
            "num_workers": 0,
            "freq_mask": 0,
            "time_mask": 0,
            "stored_states": "bf16",
            "train_folds": [1],
            "valid_folds": [2],
            "test_folds": [3],
        },
        "data_folders": {"ESC50": str(Path(corpus) / "ESC-50")},
    }
    file = folder / "plan.yaml"
    file.write_text(json.dumps(plan))

    def run():
        shutil.rmtree(folder / "out", ignore_errors=True)
        shutil.rmtree(folder / "cache", ignore_errors=True)
        command = [sys.executable, "-m", "speechbrain_petl.experiments", "run"]
        ended = subprocess.run(
            [*command, str(file), "--output", str(folder / "out")],
            cwd=ROOT,
            env={**os.environ, "SPEECHBRAIN_PETL_CACHE": str(folder / "cache")},
            capture_output=True,
            text=True,
        )
        found = list(folder.glob("out/ESC50/*/*/*/artefact/petl.safetensors"))
        if len(found) != len(variants) * len(seeds):
            raise RuntimeError(ended.stdout[-2000:] + ended.stderr[-2000:])

    run.kept = kept
    return run, {"clips": 1, "cells": len(variants) * len(seeds)}


def groups(options) -> dict[str, list[Contender]]:
    """Returns the contenders of each group."""
    clips = CLIPS * options.clips
    common = {
        "backbone": options.backbone,
        "corpus": options.corpus_of(clips),
        "clips": clips,
        "frames": options.frames,
        "device": options.device,
    }
    several = list(SEEDS)[: 2 if options.smoke else None]
    return {
        "Runs on one corpus": [
            Contender(
                "one",
                f"{HERE}:cells",
                common | {"variants": list(VARIANTS[:1]), "seeds": [1]},
            ),
            Contender(
                "twenty",
                f"{HERE}:cells",
                common | {"variants": list(VARIANTS), "seeds": several},
            ),
        ]
    }
