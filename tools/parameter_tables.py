#!/usr/bin/env python3
"""Writes the parameter counts into docs/METHODS.md and the recipes' READMEs.

A YAML without a row gets one: in METHODS.md from the first line of its header
and the places that it names, to be put in better words; in each README with
the recipe's own count. Counts are of AST-base. Columns that are not counts
stay as they are. After a new variant, or with ``--all`` after a change of one:

> python tools/parameter_tables.py
"""

import argparse
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from hyperpyyaml import load_hyperpyyaml
from speechbrain_petl.utils.recipes import corpora_in
from transformers import ASTConfig, ASTModel

ROOT = Path(__file__).resolve().parents[1]
SOURCE = "ESC50"
METHODS = ROOT / "docs" / "METHODS.md"
ROW = re.compile(r"(?m)^\| `(\w+)` \|.*\n")
README_ROW = re.compile(r"(?m)^\| `(\w+)\.yaml` \| [\d,]+ \|.*\n")
HEADER = re.compile(r"\A# #+\n(?:# Generated [^\n]+\n)?# [^:\n]+: ([^\n]+)")
# What PETLModel inserts, of all that it takes
INSERTIONS = re.compile(r"(?m)^    insertions:\n(?:        .*\n)+")
PLACE = re.compile(r"(?m)^        (\w+(?:\[[-\d:]+\])?): ")
# Those that count otherwise on other corpora: clip length, prompts, ...
BY_CORPUS = ("full_ft", "input_prompt", "ipet")

Counts = dict[str, int]
Count = Callable[[Path], Counts]


def make_counter(folder: Path) -> Count:
    """Returns what counts the trainable parameters of a YAML on AST-base."""
    backbone = folder / "ast-base"
    ASTModel(ASTConfig()).save_pretrained(backbone)

    def count(yaml: Path) -> Counts:
        """Counts those of the method, of LayerNorms, of the final one."""
        overrides = {
            "data_folder": "none",
            "output_folder": str(folder),
            "source": str(backbone),
        }
        print(yaml.relative_to(ROOT), flush=True)
        with yaml.open(encoding="utf-8") as file:
            hparams = load_hyperpyyaml(file, overrides)
        return hparams["encoder"].count_parameters()

    return count


def methods_page(text: str, count: Count, everything: bool) -> str:
    """Returns docs/METHODS.md with a row for each YAML.

    Arguments
    ---------
    text : str
        The page.
    count : callable
        From a YAML to its counts.
    everything : bool
        If True, counts those that have a row again.

    Returns
    -------
    str
    """
    hparams = ROOT / "recipes" / SOURCE / "hparams"
    rows = {found[1]: found[0] for found in ROW.finditer(text)}
    names = [*rows, *sorted(_yamls(hparams) - set(rows))]
    for name in names:
        yaml = hparams / f"{name}.yaml"
        if name in rows and not everything:
            continue
        if not yaml.is_file():  # the YAML is gone
            del rows[name]
            continue
        found = count(yaml)
        cells = rows[name].split(" | ") if name in rows else _cells(yaml)
        # Equations may hold a bar of their own; counts come after the places.
        cells[-5:-2] = [
            f"{found[part]:,}" for part in ("method", "norm", "norm_final")
        ]
        rows[name] = " | ".join(cells)
    return _replaced(text, ROW, "".join(rows.values()))


def _cells(yaml):
    """Returns the cells of a new row."""
    text = yaml.read_text(encoding="utf-8")
    said = HEADER.match(text)[1].rstrip(".")
    inserted = INSERTIONS.search(text)
    places = dict.fromkeys(PLACE.findall(inserted[0]) if inserted else ())
    where = ", ".join(f"`{place}`" for place in places) or "see the YAML"
    return [f"| `{yaml.stem}`", said, where, "0", "0", "0", "-", "- |\n"]


def readme(recipe: Path, text: str, methods: str, count: Count) -> str:
    """Returns a recipe's README with a row for each of its YAMLs.

    Arguments
    ---------
    recipe : Path
        The recipe's folder.
    text : str
        Its README.
    methods : str
        docs/METHODS.md, whose counts are the same on other corpora.
    count : callable
        From a YAML to its counts, for those that are not.

    Returns
    -------
    str
    """
    rows = {found[1]: found[0] for found in README_ROW.finditer(text)}
    if not rows:
        return text
    width = next(iter(rows.values())).count(" |") - 2  # of further columns
    total = {
        found[1]: [
            int(one.replace(",", "")) for one in found[0].split(" | ")[-5:-3]
        ]
        for found in ROW.finditer(methods)
    }
    known = list(rows)
    for name in sorted(_yamls(recipe / "hparams") - set(rows)):
        known.append(name)
    for name in known:
        yaml = recipe / "hparams" / f"{name}.yaml"
        if not yaml.is_file():
            del rows[name]
            continue
        numbers = total.get(name)
        if name in BY_CORPUS and recipe.name != SOURCE:
            if name in rows:
                continue
            numbers = None
        if numbers is None:
            found = count(yaml)
            numbers = [found["method"], found["norm"]]
        rest = rows[name].split(" | ", 2)[2:] if name in rows else []
        more = rest[0] if rest else " | ".join(["-"] * width) + " |\n"
        if not width:
            rows[name] = f"| `{name}.yaml` | {sum(numbers):,} |\n"
        else:
            rows[name] = f"| `{name}.yaml` | {sum(numbers):,} | {more}"
    return _replaced(text, README_ROW, "".join(rows.values()))


def _yamls(hparams):
    """Returns the names of YAMLs."""
    return {path.stem for path in hparams.glob("*.yaml")}


def _replaced(text, row, rows):
    """Returns a page with other rows in place of its rows, which adjoin."""
    found = list(row.finditer(text))
    start, end = found[0].start(), found[-1].end()
    between = row.sub("", text[start:end])
    assert not between.strip(), f"in the table: {between}"
    return text[:start] + rows + text[end:]


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--all", action="store_true", help="count all again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        count = make_counter(Path(folder))
        methods = methods_page(METHODS.read_text("utf-8"), count, options.all)
        METHODS.write_text(methods, encoding="utf-8")
        for name in corpora_in(ROOT / "recipes"):
            page = ROOT / "recipes" / name / "README.md"
            text = readme(page.parent, page.read_text("utf-8"), methods, count)
            page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
