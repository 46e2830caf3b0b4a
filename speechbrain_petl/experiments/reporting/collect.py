"""Reads what the cells of a plan left."""

from pathlib import Path
from typing import NamedTuple

from speechbrain_petl.experiments.planning.recipes import read_recipe
from speechbrain_petl.experiments.reporting.kept import PLAN, place_of
from speechbrain_petl.experiments.running.state import (
    DAMAGED,
    FINISHED,
    OTHER,
    read_results,
    state,
)
from speechbrain_petl.utils.files import read_json
from speechbrain_petl.utils.messages import name_some
from speechbrain_petl.utils.metric import Metric, metric_of
from speechbrain_petl.utils.recipes import find_recipes


class Result(NamedTuple):
    """A cell and its results.

    Arguments
    ---------
    cell : dict
        The cell, as listed in ``plan.json``.
    folder : Path
        Output folder.
    results : dict or None
        Content of ``results.json``, if the cell is finished with the
        settings and data of the plan.
    failure : dict or None
        Content of ``failed.json``.
    state : str
        A constant of ``running/state.py``.
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
        """Returns the cells with given values.

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

    def title(self, corpus: str) -> str:
        """Returns the name of a corpus, as the heading of a column."""
        return self.plan["recipes"][corpus]["title"]

    def metrics(self) -> dict[str, Metric]:
        """Returns what the finished cells of each corpus are reported by.

        Returns
        -------
        dict of str to Metric
            By corpus; without those of which no cell is finished.

        Raises
        ------
        ValueError
            If cells of a corpus were selected by different metrics.
        """
        metrics = {}
        for corpus in self.plan["corpora"]:
            cells = self.group(corpus=corpus)
            found = {metric_of(r.results) for r in cells if r.results}
            if len(found) > 1:
                names = sorted(metric.name for metric in found)
                raise ValueError(
                    f"The cells of {corpus} are of {name_some(names)}, which "
                    "do not go into one table: give each metric a plan of its "
                    "own."
                )
            if found:
                metrics[corpus] = found.pop()
        return metrics

    def metric(self, corpus: str) -> Metric:
        """Returns what a corpus is reported by; see ``metrics``."""
        return self.metrics().get(corpus, Metric())

    def phrase(self) -> str:
        """Returns what a sentence says of the metric, or of those there are."""
        metrics = self.metrics()
        phrases = list(dict.fromkeys(m.phrase for m in metrics.values()))
        if len(phrases) < 2:
            return phrases[0] if phrases else Metric().phrase
        return "; ".join(
            f"of {self.title(corpus)} {metric.phrase}"
            for corpus, metric in metrics.items()
        )

    def excerpts(self) -> list[str]:
        """Returns the corpora of which a run tested an excerpt only."""
        return [
            corpus
            for corpus in self.plan["corpora"]
            if any(
                result.results
                and result.results["n_test"]
                < self.plan["recipes"][corpus]["test_clips"]
                for result in self.group(corpus=corpus)
            )
        ]

    def settings(self) -> str:
        """Returns the overrides of all runs, such as ``lr=0.1, device=cpu``.

        Of a file or a folder only the name is told.
        """
        every = [cell["overrides"] for cell in self.plan["cells"]]
        return ", ".join(
            f"{key}={Path(value).name if isinstance(value, str) else value}"
            for key, value in every[0].items()
            if all(key in other and other[key] == value for other in every)
        )

    def warnings(self) -> list[str]:
        """Returns what a reader of the results must know."""
        found = [
            f"{self.title(corpus)} is an excerpt here: compare these "
            "figures with each other, not with the paper's."
            for corpus in self.excerpts()
        ]
        metrics = self.metrics().values()
        if not all(metric.in_percent for metric in metrics):
            phrase = self.phrase()
            of = "" if phrase.startswith("of ") else "of "
            found.append(f"The figures are {of}{phrase}.")
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
        found += [
            f"The cell.json of {r.cell['name']} is damaged, so that it cannot "
            "be told what the cell holds."
            for r in missing
            if r.state == DAMAGED
        ]
        return found


def collect(output: str | Path, plan: str | None = None) -> Outcome:
    """Reads the output folder of a plan.

    Arguments
    ---------
    output : str or Path
        Output folder of ``run``.
    plan : str, optional
        Name of the plan if several share the folder; by default the last one
        that ran.

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
    found = read_json(file)
    missing = {"cells", "corpora", "variants", "title"} - set(found)
    if missing:
        raise ValueError(f"'{file}' is damaged: it has no {min(missing)}.")
    found["recipes"] = _recipes(found, file)
    return Outcome(found, [_read(Path(output), c) for c in found["cells"]])


def _recipes(plan, file):
    """Returns what the record, or an older one's recipe, says of its corpora."""
    facts = dict(plan.get("recipes", {}))
    for corpus in plan["corpora"]:
        if corpus in facts:
            continue
        try:
            facts[corpus] = read_recipe(find_recipes() / corpus)._asdict()
        except ValueError as error:
            raise ValueError(
                f"'{file}' does not say what {corpus} is, as newer ones do, and "
                "its recipe is not here: run the plan again, which repeats no "
                "finished cell."
            ) from error
    return facts


def _read(output, cell):
    """Reads one cell."""
    folder = output / cell["name"]
    # Until it was run again, an older plan's file does not have the hashes.
    now = state(folder, cell.get("hash"))
    return Result(
        cell,
        folder,
        read_results(folder) if now == FINISHED else None,
        _failure(folder / "failed.json"),
        now,
    )


def _failure(file):
    """Returns why a cell failed, or None if that is not recorded."""
    if not file.is_file():
        return None
    try:
        found = read_json(file)
    except ValueError as error:
        found = {"reason": str(error)}
    # A file of an older version, or a part of one, has no reason.
    return {"reason": "it failed", "exit_code": None, "log_tail": [], **found}
