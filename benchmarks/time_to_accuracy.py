"""Seconds until ESC-10 is learned as well as the reference code learns it.

The reference's recipe of Houlsby adapters, its own loop, against a probe on
stored states, from nothing to tested artefacts, imports included; both on the
same folds and backbone, one fold after the other. ``to accuracy`` is the time
until the mean test accuracy is within a point of what the reference's whole
recipe ends with, tests not counted for it. Its cosine runs over the epochs
that are given, so that few epochs are no whole recipe cut short.
"""

import shutil
import tempfile
from pathlib import Path

from benchmarks.measure import Contender
from benchmarks.plans import accuracy_of, carry_out, check_clock
from benchmarks.worker import CLOCKS

HERE = "benchmarks.time_to_accuracy"
FOLDS = "ESC-10's folds"
#: Found by a search on validation clips: results/esc10_tuned.
SETTINGS = {"lr": 0.0097, "number_of_epochs": 24}


def probe(source, corpus, folds, device, timer):
    """Trains linear probes of all folds, and tests them."""
    clock, kept = CLOCKS[timer], tempfile.TemporaryDirectory()
    overrides = {
        "source": source,
        "device": device,
        "num_workers": 0,
        "freq_mask": 0,
        "time_mask": 0,
        "stored_states": "bf16",
        **SETTINGS,
    }

    def run():
        folder = Path(kept.name) / "runs"
        shutil.rmtree(folder, ignore_errors=True)
        started = clock()
        runs = carry_out(
            folder,
            corpus,
            variants=["linear"],
            folds=folds,
            seeds=[1234],
            overrides=overrides,
        )
        accuracy = accuracy_of(runs)
        seconds = clock() - started
        return {"accuracy": accuracy, "curve": [[seconds, accuracy]]}

    run.kept = kept
    return run, {"clips": 1, "opaque": True, "cold": True}


def groups(options) -> dict[str, list[Contender]]:
    """Returns the contenders; none without ESC-10 and the reference."""
    if not (options.esc10 and options.reference):
        return {}
    check_clock(options)
    common = {
        "source": options.esc10_source,
        "corpus": options.esc10,
        "folds": options.folds,
        "device": options.device,
        "timer": options.clock,
    }
    reference = common | {
        "checkout": options.reference,
        "epochs": options.epochs,
    }
    return {
        FOLDS: [
            Contender(
                "reference, Houlsby adapters",
                "benchmarks.reference:recipe",
                reference,
                options.reference_python,
            ),
            Contender("ours, linear on stored states", f"{HERE}:probe", common),
        ]
    }
