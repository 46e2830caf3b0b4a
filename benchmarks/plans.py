"""Carries out plans of runs, as ``experiments run`` does."""

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import ROOT


def carry_out(folder: Path, corpus: str, **plan) -> list[Path]:
    """Runs the cells of a plan of ESC-50 that are not finished.

    Arguments
    ---------
    folder : Path
        Folder of the plan, its cache and its results.
    corpus : str
        Folder of the corpus.
    **plan : dict
        The plan's keys, such as ``variants``.

    Returns
    -------
    list of Path
        Folders of the runs.

    Raises
    ------
    RuntimeError
        If a cell is missing in the end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plan = {"title": "a benchmark", "corpora": ["ESC50"], **plan}
    plan["data_folders"] = {"ESC50": corpus}
    file = folder / "plan.yaml"
    file.write_text(json.dumps(plan))
    command = [sys.executable, "-m", "speechbrain_petl.experiments", "run"]
    ended = subprocess.run(
        [*command, str(file), "--output", str(folder / "out")],
        cwd=ROOT,
        env={**os.environ, "SPEECHBRAIN_PETL_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
    )
    found = sorted(folder.glob("out/ESC50/**/artefact"))
    wanted = len(plan["variants"]) * len(plan["folds"]) * len(plan["seeds"])
    if len(found) != wanted:
        raise RuntimeError(ended.stdout[-2000:] + ended.stderr[-2000:])
    return [artefact.parent for artefact in found]


def check_clock(options) -> None:
    """Refuses processor time, which does not see what plans start.

    Raises
    ------
    ValueError
        If the clock is another one than the wall's.
    """
    if options.clock != "wall":
        raise ValueError(
            "Runs of plans are forked by a process of their own, whose "
            "processor time is not known here: leave --clock at wall."
        )


def accuracy_of(runs: list[Path]) -> float:
    """Returns the mean test accuracy of runs."""
    found = [json.loads((run / "results.json").read_text()) for run in runs]
    return sum(one["accuracy"] for one in found) / len(found)
