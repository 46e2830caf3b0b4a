"""``speechbrain-petl recipe``: a recipe of the package, to work on."""

import os
import re
import shutil
from pathlib import Path

from speechbrain_petl.demo import BACKBONE
from speechbrain_petl.experiments.planning.checks import require
from speechbrain_petl.experiments.planning.recipes import read_recipe
from speechbrain_petl.utils.files import swapping_folder
from speechbrain_petl.utils.messages import printable
from speechbrain_petl.utils.recipes import corpora_in, find_recipes

# What running a recipe leaves in its folder
LEFT = shutil.ignore_patterns("results", "__pycache__", "*.py[co]", ".*")
# A link of a recipe's page to what is not in the recipe
OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./[^)]*\)")
ELSEWHERE = """
## This copy

What this page names outside this folder (`docs/`, `results/`, `benchmarks/`) is
in the repository of speechbrain-petl. `speechbrain-petl recipe` lists and copies
the other recipes.
"""


def recipe(options) -> int:
    """Lists the recipes, or copies one."""
    recipes = find_recipes(working=False)
    names = corpora_in(recipes)
    if options.name is None:
        for name in names:
            print(_line(recipes / name))
        return 0
    require([options.name], names, "recipe", str(recipes))
    target = Path(options.output or options.name)
    copy_recipe(recipes / options.name, target)
    print(_how_to_go_on(target, read_recipe(target).miniature))
    return 0


def _line(folder):
    """Returns a line about a recipe: its name and its README's heading."""
    readme = (folder / "README.md").read_text(encoding="utf-8")
    heading = readme.partition("\n")[0].removeprefix("# ")
    return f"{folder.name:<21} {heading}"


def copy_recipe(recipe: Path, target: Path) -> None:
    """Copies a recipe, whole or not at all, without what runs left in it.

    Arguments
    ---------
    recipe : Path
        The recipe's folder.
    target : Path
        Where to: a folder that is not there yet.

    Raises
    ------
    ValueError
        If there is something.
    """
    if os.path.lexists(target):
        raise ValueError(
            f"'{printable(target)}' is there already, and may hold changes of "
            "yours: give another folder by --output."
        )
    with swapping_folder(target) as new:
        shutil.copytree(recipe, new, ignore=LEFT, dirs_exist_ok=True)
        for path in [new, *new.rglob("*")]:
            # An installation may be read-only; a copy is there to be changed.
            path.chmod(path.stat().st_mode | 0o200)
        _unlink_outside(new / "README.md")


def _unlink_outside(readme):
    """Makes text of the links of a page that would lead nowhere in a copy."""
    if readme.is_file():
        page = readme.read_text(encoding="utf-8")
        page, number = OUTSIDE.subn(r"\1", page)
        if number:
            readme.write_text(page + ELSEWHERE, encoding="utf-8")


def _how_to_go_on(target, miniature):
    """Returns what to do with a recipe."""
    return f"""\
'{printable(target)}' is yours to change. In it:

  pip install -r extra_requirements.txt
  python train.py hparams/linear.yaml --data_folder /path/to/the/corpus
  python train.py hparams/linear.yaml --help

In miniature, without any download:

  python -m speechbrain_petl.demo.corpora {miniature} sounds
  python train.py hparams/linear.yaml --data_folder sounds \\
      --source {printable(BACKBONE)} \\
      --max_length 200 --number_of_epochs 3 --num_workers 0"""
