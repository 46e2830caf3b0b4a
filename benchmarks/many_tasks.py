"""Twenty runs on one corpus against one, the states' computation included.

Two learners by ten seeds, as ``experiments run`` carries them out, from an
empty cache to artefacts: whoever is first computes the states of the corpus,
all others find them. Nothing is warmed up.
"""

import shutil
import tempfile
from pathlib import Path

from benchmarks.measure import Contender
from benchmarks.plans import carry_out, check_clock

HERE = "benchmarks.many_tasks"
VARIANTS = ("weighted_sum", "l_adapters")
SEEDS = range(1, 11)
CLIPS = 4  # times as many as other subjects take


def cells(backbone, corpus, frames, device, variants, seeds):
    """Carries out a plan, from nothing."""
    kept = tempfile.TemporaryDirectory()
    overrides = {
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
    }

    def run():
        folder = Path(kept.name) / "runs"
        shutil.rmtree(folder, ignore_errors=True)
        carry_out(
            folder,
            str(Path(corpus) / "ESC-50"),
            variants=variants,
            folds=[1],
            seeds=seeds,
            overrides=overrides,
        )

    run.kept = kept
    facts = {"clips": 1, "cells": len(variants) * len(seeds)}
    return run, facts | {"opaque": True, "cold": True}


def groups(options) -> dict[str, list[Contender]]:
    """Returns the contenders of each group."""
    check_clock(options)
    common = {
        "backbone": options.backbone,
        "corpus": options.corpus_of(CLIPS * options.clips),
        "frames": options.frames,
        "device": options.device,
    }
    several = list(SEEDS)[: 2 if options.smoke else None]

    def contender(name, variants, seeds):
        more = {"variants": variants, "seeds": seeds}
        return Contender(name, f"{HERE}:cells", common | more)

    return {
        "Runs on one corpus": [
            contender("one", list(VARIANTS[:1]), [1]),
            contender("twenty", list(VARIANTS), several),
        ]
    }
