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
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from speechbrain_petl.experiments.planning.recipes import read_recipe
from speechbrain_petl.utils.recipes import corpora_in

sys.path.insert(0, str(Path(__file__).parent))
from upstream_overlay import LIBRARY, RECIPES, ROOT, overlay

BIN = Path(sys.executable).parent

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
    # Its check of docstrings names every file, and errors among them.
    output = [
        line
        for line in (run.stdout + run.stderr).strip().split("\n")
        if not line.startswith("Checking ")
    ]
    said = output[-1] if output else ""
    print(f"{'passed' if passed else 'FAILED'}  {name}: {said}")
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
        corpora = options.corpus or corpora_in(RECIPES)
        return 0 if run_checks(target, ours, corpora, options.jobs) else 1


def run_checks(
    target: Path, ours: list[str], corpora: list[str], jobs: int
) -> bool:
    """Runs all checks in a tree of SpeechBrain that has our recipes.

    Arguments
    ---------
    target : Path
        The tree.
    ours : list of str
        Files and folders of ours, relative to it.
    corpora : list of str
        Corpora whose recipe tests are run.
    jobs : int
        Recipe tests at once.

    Returns
    -------
    bool
        If True, all passed.
    """
    passed = [
        check(name, command, target) for name, command in static_checks(ours)
    ]
    with ThreadPoolExecutor(jobs) as pool:
        passed += pool.map(lambda corpus: recipe_tests(corpus, target), corpora)
    print(f"{sum(passed)} of {len(passed)} checks passed")
    return all(passed)


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
