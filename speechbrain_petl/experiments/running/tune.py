"""Tunes every variant of a plan with the same budget, and writes a plan.

The budget is the plan's ``search``::

    search:
      trials: 8          # of each variant on each corpus
      seconds: 900       # at most, after which no trial begins; null: no limit
      fold: 1            # its neighbor validates; null without folds
      seed: 1234
      space:             # of all variants; a variant may have its own on top
        lr: log:1e-4:1e-2
        number_of_epochs: 10,20,40
        augmentation:    # a choice between several settings at once
          off: {freq_mask: 0, time_mask: 0}
          on: {freq_mask: 24, time_mask: 80}

Only the validation split selects. What it cost is written down beside what it
found: trials and seconds, of each variant.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

from speechbrain_petl.experiments.planning.plan import Plan, Variant
from speechbrain_petl.experiments.running.run import data_folder
from speechbrain_petl.experiments.running.search import Found, search
from speechbrain_petl.experiments.running.space import read_space
from speechbrain_petl.utils.files import read_json, write_file, write_json

KEYS = ("trials", "seconds", "fold", "seed", "space")
BUDGET = "search.json"
TUNED = "tuned.yaml"


def tune(
    plan: Plan,
    recipes: Path,
    output: Path,
    say: Callable[[str], None] = partial(print, flush=True),
) -> Path:
    """Searches for each variant, or goes on with it.

    Arguments
    ---------
    plan : Plan
        The plan, of one corpus, with a ``search``.
    recipes : Path
        The folder with the recipes.
    output : Path
        Folder of the searches, of the new plan and of what it cost.
    say : callable
        Receives a message for each variant.

    Returns
    -------
    Path
        The plan with the best overrides of each variant.

    Raises
    ------
    ValueError
        If the plan has no ``search``, more than one corpus, or no trial of a
        variant finished.
    """
    budget = plan.search
    if not budget:
        raise ValueError(
            f"{plan.source} has no search: give trials, seconds and a space."
        )
    if len(plan.corpora) != 1:
        raise ValueError(
            f"{plan.source} tunes on one corpus at a time: give one by "
            "--corpora."
        )
    (corpus,) = plan.corpora
    folder, costs, tuned = data_folder(plan, corpus, output), {}, []
    for variant in plan.variants:
        found = search(
            recipes / corpus / "hparams" / f"{variant.yaml}.yaml",
            folder,
            {**read_space(budget["space"]), **read_space(variant.space)},
            output / "search" / variant.label,
            budget["trials"],
            plan.overrides_of(corpus, variant),
            budget.get("seed", 1234),
            budget.get("fold"),
            budget.get("seconds"),
        )
        costs[variant.label] = cost_of(found)
        say(
            f"{variant.label}: validation {found.metric.name} "
            f"{found.metric.text(found.value)} by {found.overrides}, "
            f"{found.trials} trials, {found.seconds:.0f} s"
        )
        tuned.append(
            Variant(
                variant.label,
                variant.yaml,
                {**variant.overrides, **found.overrides},
            )
        )
        write_json(output / BUDGET, costs)
    text = json.dumps(  # which is YAML, too
        {
            "title": f"{plan.title}, tuned",
            "corpora": plan.corpora,
            "variants": [
                {k: v for k, v in asdict(one).items() if k != "space"}
                for one in tuned
            ],
            "folds": plan.folds,
            "seeds": plan.seeds,
            "overrides": plan.overrides,
            "corpus_overrides": plan.corpus_overrides,
            "data_folders": {corpus: folder},
        },
        indent=2,
    )
    write_file(str(output / TUNED), text)
    return output / TUNED


def cost_of(found: Found) -> dict:
    """Returns what a search found and what it cost, in plain values."""
    return {
        "overrides": dict(found.overrides),
        "metric": found.metric.name,
        "validation": found.value,
        "trials": found.trials,
        "seconds": round(found.seconds, 1),
    }


def costs_in(output: Path) -> Mapping[str, dict]:
    """Reads what the searches of a folder cost, by variant."""
    return read_json(output / BUDGET)
