"""The demo: procedural sounds, a mini AST, two methods, one labeled file.

Runs the ESC-50 recipe itself, with command-line overrides alone:

    speechbrain-petl demo
"""

import argparse
import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from speechbrain_petl.demo import BACKBONE
from speechbrain_petl.demo.corpora import write_esc50
from speechbrain_petl.utils.arguments import add_debug
from speechbrain_petl.utils.errors import GOES_ON, run_command
from speechbrain_petl.utils.recipes import find_recipes

RECIPE = "ESC50"
VARIANTS = ("linear", "adapter_hou_par")
OVERRIDES = {
    "source": BACKBONE,
    "test_fold": 1,
    "max_length": 200,
    "number_of_epochs": 25,
    "freq_mask": 12,
    "time_mask": 16,
    "num_workers": 0,
}
# What the paper's hyperparameters, made for AST-base, become for 96 units.
OF_VARIANT = {"linear": {}, "adapter_hou_par": {"reduction_rate": 6}}


def main(arguments: list[str] | None = None) -> int:
    """Runs a command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m speechbrain_petl.demo",
        description=(__doc__ or "").split("\n")[0],
    )
    parser.add_argument("--folder", type=Path, default=Path("results/demo"))
    add_debug(parser)
    options = parser.parse_args(arguments)
    folder = options.folder.absolute()
    return run_command(partial(run, folder), "demo", options.debug, GOES_ON)


def run(folder: Path) -> int:
    """Makes the corpus, trains, prints a table and labels a file.

    Arguments
    ---------
    folder : Path
        Where to write.

    Returns
    -------
    int
        Exit code: 0.
    """
    recipe = find_recipes(working=False) / RECIPE
    corpus = folder / "corpus"
    if not corpus.exists():
        print(f"Writing procedural sounds to {corpus}", flush=True)
        write_esc50(corpus)
    for variant in VARIANTS:
        train(recipe, variant, corpus, folder / variant)
    print_table(folder)
    label_one(folder / VARIANTS[-1])
    return 0


def train(recipe: Path, variant: str, corpus: Path, output: Path) -> None:
    """Runs the recipe's train.py on one YAML of it; stops if that fails."""
    overrides = {
        "data_folder": corpus,
        "output_folder": output,
        **OVERRIDES,
        **OF_VARIANT[variant],
    }
    command = [sys.executable, "train.py", f"hparams/{variant}.yaml"]
    for name, value in overrides.items():
        command += [f"--{name}", str(value)]
    print(f"Training {variant}; its log is {output}/log.txt", flush=True)
    start = time.time()
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    code = subprocess.run(command, cwd=recipe, env=environment).returncode
    if code:
        raise ValueError(f"Training {variant} ended with exit code {code}.")
    print(f"{variant} took {time.time() - start:.0f} s", flush=True)


def print_table(folder: Path) -> None:
    """Prints a row a method from the runs' own results."""
    print("\n| method | trainable | valid | test |\n|---|---:|---:|---:|")
    for variant in VARIANTS:
        results = json.loads((folder / variant / "results.json").read_text())
        print(
            f"| {variant} | {sum(results['trainable'].values()):,} "
            f"| {results['valid_accuracy']:.1%} | {results['accuracy']:.1%} |"
        )
    print("(accuracy on one fold of 10 procedural classes; chance is 10 %)")


def label_one(run: Path) -> None:
    """Labels a clip of the test fold by the command ``speechbrain-petl``."""
    manifest = json.loads((run / "manifest" / "test.json").read_text())
    clip = next(iter(manifest.values()))
    file = clip["wav"].replace("{data_root}", str(run.parent / "corpus"))
    print(f"\nA clip of class '{clip['label']}', labeled by predict:")
    command = [sys.executable, "-m", "speechbrain_petl.cli", "predict"]
    command += [str(run / "artefact"), file]
    print("$ speechbrain-petl " + " ".join(command[3:]), flush=True)
    code = subprocess.run(command).returncode
    if code:
        raise ValueError(f"Labeling a clip ended with exit code {code}.")


if __name__ == "__main__":
    sys.exit(main())
