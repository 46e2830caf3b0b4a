"""Keeps what was asked for, and reads what its cells left."""

import json
from pathlib import Path
from typing import NamedTuple

from speechbrain_petl.experiments.planning.plan import Plan
from speechbrain_petl.experiments.planning.recipes import RECIPES
from speechbrain_petl.experiments.running.run import Work
from speechbrain_petl.experiments.running.state import (
    FINISHED,
    OTHER,
    state,
    write_json,
)

PLAN = "plan.json"


class Result(NamedTuple):
    """A cell and what it left.

    Arguments
    ---------
    cell : dict
        As ``plan.json`` lists it.
    folder : Path
        Its output folder.
    results : dict or None
        Its ``results.json``, once it is finished with the plan's settings
        and data.
    failure : dict or None
        Its ``failed.json``.
    state : str
        A constant of ``cells.py``.
    """

    cell: dict
    folder: Path
    results: dict | None
    failure: dict | None
    state: str


class Outcome(NamedTuple):
    """A plan and the results of its cells."""

    plan: dict
    results: list[Result]

    def group(self, **wanted) -> list[Result]:
        """The cells with these values.

        Arguments
        ---------
        **wanted
            Keys of a cell, such as ``corpus``, and their values.

        Returns
        -------
        list of Result
        """
        return [
            result
            for result in self.results
            if all(result.cell[key] == value for key, value in wanted.items())
        ]

    def excerpts(self) -> list[str]:
        """Corpora of which a run tested fewer clips than there should be."""
        return [
            corpus
            for corpus in self.plan["corpora"]
            if any(
                result.results
                and result.results["n_test"] < RECIPES[corpus].test_clips
                for result in self.group(corpus=corpus)
            )
        ]

    def settings(self) -> str:
        """What was overridden in all runs, such as ``lr=0.1, device=cpu``.

        Of a file or a folder only the name is told.
        """
        every = [cell["overrides"] for cell in self.plan["cells"]]
        return ", ".join(
            f"{key}={Path(value).name if isinstance(value, str) else value}"
            for key, value in every[0].items()
            if all(key in other and other[key] == value for other in every)
        )

    def warnings(self) -> list[str]:
        """What a reader of the results must know."""
        found = [
            f"{RECIPES[corpus].title} is an excerpt here: compare these "
            "figures with each other, not with the paper's."
            for corpus in self.excerpts()
        ]
        missing = [r for r in self.results if r.results is None]
        failed = sum(r.failure is not None for r in missing)
        other = sum(r.state == OTHER for r in missing)
        if missing:
            found.append(
                f"{len(missing)} of {len(self.results)} cells are missing, "
                f"{failed} of them failed."
            )
        if other:
            found.append(
                f"{other} of the missing cells hold runs of other settings or "
                "data, which are not shown."
            )
        return found


def place_of(output: str | Path, plan: str | None = None) -> Path:
    """Where a plan, its tables and its figures are kept.

    Arguments
    ---------
    output : str or Path
        Where ``run`` wrote.
    plan : str, optional
        Name or file of the plan, where several share the folder; by default
        the one that ran last.

    Returns
    -------
    Path
    """
    if not plan:
        return Path(output)
    return Path(output) / "plans" / Path(plan).name.removesuffix(".yaml")


def keep_plan(plan: Plan, work: list[Work], output: Path, part: bool) -> None:
    """Writes what was asked for beside the results, for table and report.

    Arguments
    ---------
    plan : Plan
        The plan.
    work : list of Work
        Its cells, as from ``survey``.
    output : Path
        Where the plan's results are.
    part : bool
        Whether this is a part of the plan: what was kept of other parts, with
        the same settings and data, stays.
    """
    kept = {
        "source": plan.source,
        "title": plan.title,
        "paper": plan.paper,
        "corpora": plan.corpora,
        "variants": [v.label for v in plan.variants],
        "cells": [_row(w.cell, w.job.hash) for w in work],
        "data_folders": {w.cell.corpus: w.data_folder for w in work},
    }
    own = place_of(output, plan.name) / PLAN
    if part and own.is_file():
        kept = _add(json.loads(own.read_text("utf-8")), kept)
    write_json(own, kept)
    write_json(output / PLAN, kept)


def _row(cell, hash_):
    """A cell as the plan's file lists it."""
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
        """By corpus and variant: what a mean must not mix."""
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
    }


def collect(output: str | Path, plan: str | None = None) -> Outcome:
    """Reads the output folder of a plan.

    Arguments
    ---------
    output : str or Path
        Where ``run`` wrote.
    plan : str, optional
        Name of the plan, where several share the folder; by default the one
        that ran last.

    Returns
    -------
    Outcome

    Raises
    ------
    ValueError
        If there is no such plan's output.
    """
    file = place_of(output, plan) / PLAN
    if not file.is_file():
        known = sorted(
            p.parent.name for p in Path(output).glob(f"plans/*/{PLAN}")
        )
        hint = f", one of {', '.join(known)}" if plan and known else ""
        raise ValueError(
            f"There is no {file}: give the output folder of a plan that was "
            f"run{hint}."
        )
    found = json.loads(file.read_text("utf-8"))
    return Outcome(found, [_read(Path(output), c) for c in found["cells"]])


def _read(output, cell):
    """One cell."""
    folder = output / cell["name"]
    # Until it was run again, an older plan's file does not have the hashes.
    now = state(folder, cell.get("hash"))
    return Result(
        cell,
        folder,
        _load(folder / "results.json") if now == FINISHED else None,
        _load(folder / "failed.json"),
        now,
    )


def _load(file):
    """A JSON file, or None."""
    return json.loads(file.read_text("utf-8")) if file.is_file() else None
