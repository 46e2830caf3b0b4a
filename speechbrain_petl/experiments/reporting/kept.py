"""Records the plan beside its results."""

from pathlib import Path

from speechbrain_petl.experiments.planning.plan import Plan
from speechbrain_petl.experiments.running.run import Work
from speechbrain_petl.experiments.running.state import write_json
from speechbrain_petl.utils.files import read_json

PLAN = "plan.json"


def place_of(output: str | Path, plan: str | None = None) -> Path:
    """Returns the folder of a plan's record, tables and figures.

    Arguments
    ---------
    output : str or Path
        Output folder of ``run``.
    plan : str, optional
        Name or file of the plan if several share the folder; by default the
        last one that ran.

    Returns
    -------
    Path
    """
    if not plan:
        return Path(output)
    return Path(output) / "plans" / Path(plan).name.removesuffix(".yaml")


def keep_plan(plan: Plan, work: list[Work], output: Path, part: bool) -> None:
    """Records the plan beside the results, for table and report.

    Arguments
    ---------
    plan : Plan
        The plan.
    work : list of Work
        Its cells, as from ``survey``.
    output : Path
        Folder of the results.
    part : bool
        If True, this is a part of the plan: the record of other parts with
        the same settings and data is kept.
    """
    kept = {
        "source": plan.source,
        "title": plan.title,
        "paper": plan.paper,
        "corpora": plan.corpora,
        "variants": [v.label for v in plan.variants],
        "cells": [_row(w.cell, w.job.hash) for w in work],
        "data_folders": {w.cell.corpus: w.data_folder for w in work},
        "recipes": {name: r._asdict() for name, r in plan.recipes.items()},
    }
    own = place_of(output, plan.name) / PLAN
    if part and own.is_file():
        kept = _add(read_json(own), kept)
    write_json(own, kept)
    write_json(output / PLAN, kept)


def _row(cell, hash_):
    """Returns a cell as the record lists it."""
    return {
        "name": cell.name,
        "corpus": cell.corpus,
        "variant": cell.variant.label,
        "yaml": cell.variant.yaml,
        "seed": cell.seed,
        "fold": cell.fold,
        "shots": cell.shots,
        "draw": cell.draw,
        "overrides": dict(cell.overrides),
        "hash": hash_,
    }


def _add(old, new):
    """Adds a part to parts of the same settings and data."""

    def settings(plan):
        """Returns the settings that a mean must not mix."""
        return {
            (c["corpus"], c["variant"]): [
                c["overrides"],
                plan["data_folders"][c["corpus"]],
            ]
            for c in plan["cells"]
        }

    cells = {}
    before, now = settings(old), settings(new)
    for cell in old["cells"]:
        key = (cell["corpus"], cell["variant"])
        if before[key] == now.get(key, before[key]):
            cells[cell["name"]] = cell
    cells |= {cell["name"]: cell for cell in new["cells"]}
    return {
        **new,
        "cells": list(cells.values()),
        **{
            key: list(dict.fromkeys(old[key] + new[key]))
            for key in ("corpora", "variants")
        },
        "data_folders": old["data_folders"] | new["data_folders"],
        "recipes": old.get("recipes", {}) | new["recipes"],
    }
