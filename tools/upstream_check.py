#!/usr/bin/env python3
"""Runs SpeechBrain's own checks on the recipes, laid over a checkout of it.

What a pull request would hold is put into a copy of the checkout: each corpus
as ``recipes/<upstream's name>/petl``, its rows appended to upstream's table of
recipes, and as test samples small synthetic corpora and the miniature AST. The
library is a requirement of theirs. The checks are upstream's: consistency
tests, docstrings, linters with its settings, and the recipe tests of our rows.

> python tools/upstream_check.py /path/to/speechbrain
"""

import argparse
import csv
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from speechbrain_petl.demo.corpora import write_small
from speechbrain_petl.experiments.planning.recipes import FILE, read_recipe
from speechbrain_petl.utils.recipes import corpora_in

ROOT = Path(__file__).resolve().parents[1]

LIBRARY = ROOT / "speechbrain_petl"
BIN = Path(sys.executable).parent
AST_MINI = LIBRARY / "demo" / "ast-mini"

RECIPES = ROOT / "recipes"
MATRIX = ROOT / "tools" / "backbone_matrix.py"

RECIPE_TESTS = """
import sys
from tests.utils.recipe_tests import run_recipe_tests
passed = run_recipe_tests(
    filters_fields=["Dataset", "Script_file"],
    filters=[[sys.argv[1]], [sys.argv[2]]],
    do_checks=True,
    run_opts="--device=cpu",
)
sys.exit(not passed)
"""
DOCSTRINGS = """
import sys
from tests.utils.check_docstrings import check_docstrings
sys.exit(not check_docstrings(sys.argv[1], ["speechbrain_petl"]))
"""


def overlay(checkout: Path, target: Path) -> list[str]:
    """Copies a checkout and puts our files in it.

    Arguments
    ---------
    checkout : Path
        Checkout of SpeechBrain.
    target : Path
        A folder that does not exist yet.

    Returns
    -------
    list of str
        Files and folders of ours, relative to the copy.
    """
    ignored = shutil.ignore_patterns(".git", "__pycache__", "results")
    shutil.copytree(checkout, target, symlinks=True, ignore=ignored)
    samples = target / "tests" / "samples" / "petl"
    shutil.copytree(AST_MINI, samples / "ast-mini")
    make_tiny = runpy.run_path(str(MATRIX))["make_tiny"]
    make_tiny("wav2vec 2.0", samples / "wav2vec2-tiny")
    ours = []
    for folder in corpora_in(RECIPES):
        facts = read_recipe(RECIPES / folder)
        upstream = facts.upstream_folder
        recipe = f"recipes/{upstream}/petl"
        # Upstream takes every YAML of its recipes for one of hyperparameters.
        shutil.copytree(
            RECIPES / folder,
            target / recipe,
            ignore=shutil.ignore_patterns("__pycache__", "results", FILE),
        )
        rows = (ROOT / "tests" / "recipes" / f"{folder}.csv").read_text()
        rows = rows.replace(f"recipes/{folder}/", f"{recipe}/")
        rows = rows.replace(f",{folder},", f",{upstream},")
        table = target / "tests" / "recipes" / f"{upstream}.csv"
        header, ours_there = rows.split("\n", 1)
        # A corpus may be new to upstream.
        there = table.read_text().rstrip("\n") if table.exists() else header
        table.write_text(f"{there}\n{ours_there}")
        write_small(facts.miniature, samples / folder)
        ours.append(recipe)
    return ours


def check(name: str, command: list[str], folder: Path) -> bool:
    """Runs a check and prints its result.

    Arguments
    ---------
    name : str
        Name of the check.
    command : list of str
        Command line.
    folder : Path
        Working directory of the command.

    Returns
    -------
    bool
        If True, the check passed.
    """
    # Recipe tests call plain `python`: let it be this one.
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    run = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    passed = run.returncode == 0
    output = (run.stdout + run.stderr).strip().split("\n")
    print(f"{'passed' if passed else 'FAILED'}  {name}: {output[-1]}")
    if not passed:
        print("\n".join(output[-40:]))
    sys.stdout.flush()
    return passed


def main() -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkout", type=Path, help="of SpeechBrain")
    parser.add_argument(
        "--jobs", type=int, default=2, help="recipe tests at once (default: 2)"
    )
    parser.add_argument(
        "--corpus",
        action="append",
        choices=corpora_in(RECIPES),
        help="run the recipe tests of this corpus only (may be repeated)",
    )
    options = parser.parse_args()
    if not (options.checkout / "tests" / "recipes").is_dir():
        parser.error(
            f"{options.checkout} is not a checkout of SpeechBrain, as it has "
            "no tests/recipes: clone github.com/speechbrain/speechbrain."
        )
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "speechbrain"
        ours = overlay(options.checkout, target)
        passed = [
            check(name, command, target)
            for name, command in static_checks(ours)
        ]
        with ThreadPoolExecutor(options.jobs) as pool:
            passed += pool.map(
                lambda corpus: recipe_tests(corpus, target),
                options.corpus or corpora_in(RECIPES),
            )
    print(f"{sum(passed)} of {len(passed)} checks passed")
    return 0 if all(passed) else 1


def static_checks(ours: list[str]) -> list[tuple[str, list[str]]]:
    """Returns name and command line of each check that runs no recipe."""
    python, settings = sys.executable, ["--config", "pyproject.toml"]

    def tool(name, *arguments):
        """A linter of this environment, for all that is ours."""
        return [str(BIN / name), *arguments, *ours, str(LIBRARY)]

    return [
        ("consistency", [python, "-m", "pytest", "-q", "tests/consistency"]),
        ("docstrings", [python, "-c", DOCSTRINGS, str(LIBRARY)]),
        # Of the recipes: how the library sorts imports of itself is its own.
        ("ruff check", tool("ruff", "check", *settings)[:-1]),
        ("ruff format", tool("ruff", "format", "--check", *settings)),
        (
            "yamllint",
            tool(
                "yamllint", "--config-file", ".yamllint.yaml", "--no-warnings"
            ),
        ),
        (
            "codespell",
            tool(
                "codespell",
                "--ignore-words=.dict-speechbrain.txt",
                f"--ignore-words={ROOT / '.dict-speechbrain-petl.txt'}",
                "--skip=*.safetensors",
            ),
        ),
    ]


def recipe_tests(corpus: str, target: Path) -> bool:
    """Runs upstream's recipe tests on the rows of a corpus."""
    upstream = read_recipe(RECIPES / corpus).upstream_folder
    script = f"recipes/{upstream}/petl/train.py"
    with open(ROOT / "tests" / "recipes" / f"{corpus}.csv") as file:
        rows = len(list(csv.DictReader(file)))
    return check(
        f"{rows} recipe tests of {corpus}",
        [sys.executable, "-c", RECIPE_TESTS, upstream, script],
        target,
    )


if __name__ == "__main__":
    sys.exit(main())
