"""Reads what the cells of a plan left."""

import json
from pathlib import Path
from typing import NamedTuple

from speechbrain_petl.experiments.corpora import RECIPES


class Result(NamedTuple):
    """A cell and what it left.

    Arguments
    ---------
    cell : dict
        As ``plan.json`` lists it.
    folder : Path
        Its output folder.
    results : dict or None
        Its ``results.json``, once it is finished.
    failure : dict or None
        Its ``failed.json``.
    """

    cell: dict
    folder: Path
    results: dict | None
    failure: dict | None


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


def collect(output: str | Path) -> Outcome:
    """Reads the output folder of a plan.

    Arguments
    ---------
    output : str or Path
        Where ``run`` wrote.

    Returns
    -------
    Outcome

    Raises
    ------
    ValueError
        If there is no plan's output.
    """
    output = Path(output)
    if not (output / "plan.json").is_file():
        raise ValueError(
            f"{output} has no plan.json: give the output folder of a plan "
            "that was run."
        )
    plan = json.loads((output / "plan.json").read_text("utf-8"))
    return Outcome(plan, [_read(output, cell) for cell in plan["cells"]])


def _read(output, cell):
    """One cell."""
    folder = output / cell["name"]
    done = (folder / "artefact" / "artefact.json").is_file()
    return Result(
        cell,
        folder,
        _load(folder / "results.json") if done else None,
        _load(folder / "failed.json"),
    )


def _load(file):
    """A JSON file, or None."""
    return json.loads(file.read_text("utf-8")) if file.is_file() else None
