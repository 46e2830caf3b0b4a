"""What a pull request to SpeechBrain would hold, laid over its tree."""

import runpy
import shutil
from pathlib import Path

from speechbrain_petl.demo.corpora import write_small
from speechbrain_petl.experiments.planning.recipes import FILE, read_recipe
from speechbrain_petl.utils.recipes import corpora_in

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "speechbrain_petl"
RECIPES = ROOT / "recipes"
AST_MINI = LIBRARY / "demo" / "ast-mini"
MATRIX = ROOT / "tools" / "backbone_matrix.py"
SAMPLES = "tests/samples/petl"


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
    lay_backbones(target)
    return [lay_recipe(name, target)[0] for name in corpora_in(RECIPES)]


def lay_backbones(target: Path) -> None:
    """Puts the backbones of the recipe tests among upstream's samples."""
    samples = target / SAMPLES
    shutil.copytree(AST_MINI, samples / "ast-mini")
    make_tiny = runpy.run_path(str(MATRIX))["make_tiny"]
    make_tiny("wav2vec 2.0", samples / "wav2vec2-tiny")


def lay_recipe(name: str, target: Path) -> list[str]:
    """Puts a recipe, its rows and its samples in a tree of SpeechBrain.

    Arguments
    ---------
    name : str
        Folder of ``recipes``.
    target : Path
        The tree.

    Returns
    -------
    list of str
        Folder of the recipe, table of rows and folder of samples, relative
        to the tree.
    """
    facts = read_recipe(RECIPES / name)
    recipe = f"recipes/{facts.upstream_folder}/petl"
    # Upstream takes every YAML of its recipes for one of hyperparameters.
    ignored = shutil.ignore_patterns("__pycache__", "results", FILE)
    shutil.copytree(RECIPES / name, target / recipe, ignore=ignored)
    rows = (ROOT / "tests" / "recipes" / f"{name}.csv").read_text()
    rows = rows.replace(f"recipes/{name}/", f"{recipe}/")
    rows = rows.replace(f",{name},", f",{facts.upstream_folder},")
    header, ours = rows.split("\n", 1)
    table = f"tests/recipes/{facts.upstream_folder}.csv"
    path = target / table
    # A corpus may be new to upstream.
    there = path.read_text().rstrip("\n") if path.exists() else header
    path.write_text(f"{there}\n{ours}")
    write_small(facts.miniature, target / SAMPLES / name)
    return [recipe, table, f"{SAMPLES}/{name}"]
