#!/usr/bin/env python3
"""Trains on EmoDB, real emotions, with folds that share no speaker.

> python tools/emodb.py /path/to/EmoDB results/emodb --source /path/to/ast

EmoDB (http://emodb.bilderbar.info) names its files after speaker, text and
emotion. The recipe is that of a folder of sounds, with a table made from the
names; the plan is run, and gone on with, like any other. A table of unweighted
accuracies is printed.
"""

import argparse
import csv
import json
import shutil
from pathlib import Path

from speechbrain_petl.experiments.__main__ import main as experiments
from speechbrain_petl.experiments.planning.recipes import FILE, read_recipe
from speechbrain_petl.utils.recipes import find_recipes

EMOTIONS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}
SUFFIXES = {".wav", ".ogg", ".flac"}
VARIANTS = ("linear", "lora", "adapter_hou_par", "ipet")
OVERRIDES = {
    "selects": "unweighted_accuracy",
    "max_length": 200,
    "batch_size": 8,
    "near_duplicates": False,
    "device": "cpu",
    "num_workers": 0,
}


def read_names(folder: Path) -> list[dict]:
    """Reads speaker and emotion of each file from its name.

    Arguments
    ---------
    folder : Path
        The corpus.

    Returns
    -------
    list of dict
        Rows with ``file``, ``label`` and ``group``, the speaker.

    Raises
    ------
    ValueError
        If there is no audio, or a name is another corpus's.
    """
    rows = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES:
            continue
        name = path.stem
        known = len(name) == 7 and name[:2].isdigit() and name[5] in EMOTIONS
        if not known:
            raise ValueError(
                f"{path} is not named as EmoDB names its files, such as "
                "03a01Fa: move it elsewhere."
            )
        file = path.relative_to(folder).as_posix()
        rows.append(
            {"file": file, "label": EMOTIONS[name[5]], "group": name[:2]}
        )
    if not rows:
        raise ValueError(f"{folder} holds no audio: give EmoDB's folder.")
    return rows


def prepare(folder: Path, output: Path) -> tuple[Path, int]:
    """Writes the table and a recipe that knows of its folds.

    Arguments
    ---------
    folder : Path
        The corpus.
    output : Path
        Where to write.

    Returns
    -------
    recipes : Path
        Folder of the recipe.
    n_folds : int
        One for each speaker, at most 10.
    """
    rows = read_names(folder)
    n_folds = min(10, len({row["group"] for row in rows}))
    output.mkdir(parents=True, exist_ok=True)
    with open(output / "table.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["file", "label", "group"])
        writer.writeheader()
        writer.writerows(rows)
    recipe = output / "recipes" / "EmoDB"
    source = find_recipes() / "AudioFolder"
    shutil.copytree(source, recipe, dirs_exist_ok=True)
    share = len(rows) // n_folds
    facts = read_recipe(source)._asdict() | {
        "title": "EmoDB",
        "folds": n_folds,
        "clips": [len(rows) - 2 * share, share, share],
        "test_clips": 1,
        "classes": len(EMOTIONS),
    }
    known = {key: value for key, value in facts.items() if value is not None}
    known["keeps"], known["leaves"] = (
        list(facts[k]) for k in ("keeps", "leaves")
    )
    (recipe / FILE).write_text(json.dumps(known))  # which is YAML too
    return recipe.parent, n_folds


def main() -> int:
    """The command line; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data_folder", type=Path, help="EmoDB")
    parser.add_argument("output", type=Path, help="folder of the results")
    parser.add_argument("--source", required=True, help="folder of an AST")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1234])
    parser.add_argument("--number_of_epochs", type=int, default=6)
    options = parser.parse_args()
    output = options.output.resolve()
    recipes, n_folds = prepare(options.data_folder.resolve(), output)
    plan = {
        "title": "Emotions of EmoDB, a fold a speaker",
        "corpora": ["EmoDB"],
        "variants": list(VARIANTS),
        "seeds": options.seeds,
        "overrides": OVERRIDES
        | {
            "source": str(Path(options.source).resolve()),
            "number_of_epochs": options.number_of_epochs,
            "metadata": str(output / "table.csv"),
            "n_folds": n_folds,
        },
        "data_folders": {"EmoDB": str(options.data_folder.resolve())},
    }
    file = output / "emodb.yaml"
    file.write_text(json.dumps(plan, indent=2))
    runs = str(output / "runs")
    code = experiments(
        ["run", str(file), "--recipes", str(recipes), "--output", runs]
    )
    return code or experiments(["table", runs])


if __name__ == "__main__":
    raise SystemExit(main())
