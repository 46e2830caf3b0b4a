"""``speechbrain-petl experiments``: run, table, compare, ..."""

import fnmatch
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from shlex import quote

from speechbrain_petl.experiments.options import NARROWING, make_parser
from speechbrain_petl.experiments.planning.checks import require
from speechbrain_petl.experiments.planning.overrides import as_text, pairs
from speechbrain_petl.experiments.planning.plan import load_plan
from speechbrain_petl.experiments.reporting.collect import collect
from speechbrain_petl.experiments.reporting.kept import keep_plan, place_of
from speechbrain_petl.experiments.reporting.statistics import compare
from speechbrain_petl.experiments.reporting.table import write_tables
from speechbrain_petl.experiments.running.launchers import Local, Submitit
from speechbrain_petl.experiments.running.run import run, survey
from speechbrain_petl.experiments.running.state import FINISHED
from speechbrain_petl.utils.errors import GOES_ON, run_command
from speechbrain_petl.utils.optional import require as require_package
from speechbrain_petl.utils.recipes import find_recipes
from speechbrain_petl.utils.yaml_text import read_yaml


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line.

    Arguments
    ---------
    arguments : sequence of str, optional
        Those of the process by default.

    Returns
    -------
    int
        0 if all went well, 1 if a cell is not finished, 2 if nothing was
        done, 130 if it was stopped.
    """
    options = make_parser().parse_args(arguments)
    return run_command(
        partial(run_step, options), "experiments", options.debug, GOES_ON
    )


def run_step(options) -> int:
    """Runs the command that the options name as ``step``."""
    # A runner that is asked to stop passes it on to what it runs.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return COMMANDS[options.step](options)


def run_plan(options) -> int:
    """Runs a plan."""
    recipes = find_recipes(options.recipes)
    changes = {
        "overrides": pairs(options.set, "--set"),
        "data_folders": pairs(options.data_folder, "--data_folder", as_text),
    }
    narrowed = {name: getattr(options, name) for name in NARROWING}
    narrowed = {name: text for name, text in narrowed.items() if text}
    for name, text in narrowed.items():
        changes[name] = [read_yaml(one, f"--{name}") for one in text.split(",")]
    plan = load_plan(options.plan, recipes, changes)
    if plan.search:
        raise ValueError(
            f"{options.plan} has a search: 'tune' it first, and run the plan "
            "that it writes."
        )
    output = Path(options.output or f"results/{plan.name}")
    n_processes = options.nproc if options.launcher == "torchrun" else 1
    every = survey(plan, recipes, output, n_processes)
    work = choose(every, options)
    if options.dry_run:
        from speechbrain_petl.experiments.reporting.cost import show

        return show(work, plan, recipes)
    keep_plan(plan, every, output, part=bool(narrowed))
    if options.launcher == "submitit":
        parameters = pairs(options.slurm, "--slurm")
        launcher = Submitit(
            output / "slurm",
            options.cluster,
            options.force,
            options.timeout,
            **parameters,
        )
    else:
        launcher = Local(
            options.jobs, options.force, n_processes, options.timeout
        )
    try:
        outcomes = run(work, launcher, options.jobs)
    except BaseException:
        launcher.stop()
        raise
    print(", ".join(f"{count} {what}" for what, count in outcomes.items()))
    place = quote(str(output))
    print(f"Results: {output}; speechbrain-petl experiments report {place}")
    return 0 if outcomes[FINISHED] == len(work) else 1


def choose(work: list, options) -> list:
    """Selects cells by ``--only`` and ``--shard``."""
    if options.only:
        work = [w for w in work if fnmatch.fnmatch(w.cell.name, options.only)]
    if options.shard:
        try:
            part, parts = map(int, options.shard.split("/"))
            work = work[part - 1 : len(work) : parts] if part > 0 else []
        except ValueError:
            parts = 0
        if not parts or not 1 <= part <= parts:
            raise ValueError(
                f"--shard is {options.shard}: give which one of how many, such "
                "as 1/4."
            )
    if not work:
        raise ValueError("No cell is left: see --only and --shard.")
    return work


def table(options) -> int:
    """Writes tables and prints the Markdown one."""
    outcome = collect(options.output, options.plan)
    folder = place_of(options.output, options.plan) / "tables"
    print(write_tables(outcome, folder)["table.md"])
    return 0


def compare_two(options) -> int:
    """Prints the paired test of two variants, corpus by corpus."""
    outcome = collect(options.output, options.plan)
    require(
        [options.first, options.second],
        outcome.plan["variants"],
        "variant",
        str(options.output),
    )
    compared = 0
    for corpus in outcome.plan["corpora"]:
        first, second = (
            outcome.group(corpus=corpus, variant=variant)
            for variant in (options.first, options.second)
        )
        try:
            found = compare(first, second)
        except ValueError as error:
            print(f"{corpus}: not compared: {error}")
            continue
        compared += 1
        metric = outcome.metric(corpus)
        t_test = "no paired t-test, as all differences are the same"
        if found.t_test is not None:
            t_test = f"{found.t_test:.4g} (paired t-test)"
        print(
            f"{corpus}: {options.first} minus {options.second} "
            f"{metric.gap(found.difference)} over {found.pairs} of "
            f"{max(len(first), len(second))} pairs; "
            f"p = {found.permutation:.4g} (paired permutation test; it cannot "
            f"be below {found.least:.4g}), {t_test}"
        )
    return 0 if compared else 2


def plot(options) -> int:
    """Draws figures."""
    require_package("matplotlib", "experiments", "plot")
    outcome = collect(options.output, options.plan)
    from speechbrain_petl.experiments.reporting.plot import KINDS, write_figures

    kinds = options.kinds.split(",") if options.kinds else None
    require(kinds or [], KINDS, "kind of figure", "--kinds")
    folder = place_of(options.output, options.plan) / "figures"
    for file in write_figures(outcome, folder, kinds):
        print(file)
    return 0


def report(options) -> int:
    """Writes the page."""
    from speechbrain_petl.experiments.reporting.report import write_report

    outcome = collect(options.output, options.plan)
    print(write_report(outcome, place_of(options.output, options.plan)))
    return 0


def tune_plan(options) -> int:
    """Searches for each variant of a plan, and writes the plan to run."""
    from speechbrain_petl.experiments.running.tune import tune

    recipes = find_recipes(options.recipes)
    folders = pairs(options.data_folder, "--data_folder", as_text)
    changes = {
        "overrides": pairs(options.set, "--set"),
        "data_folders": folders,
    }
    plan = load_plan(options.plan, recipes, changes)
    output = Path(options.output or f"results/{plan.name}")
    output.mkdir(parents=True, exist_ok=True)
    file = tune(plan, recipes, output)
    print(f"{file}: the plan with what was found; experiments run takes it")
    return 0


def search_one(options) -> int:
    """Searches and prints the best overrides."""
    from speechbrain_petl.experiments.running.search import search
    from speechbrain_petl.experiments.running.space import read_space

    found = search(
        options.yaml,
        options.data_folder,
        read_space(options.space),
        Path(options.output or f"results/search_{options.yaml.stem}"),
        options.trials,
        pairs(options.set, "--set"),
        options.seed,
        options.fold,
    )
    print(
        f"validation {found.metric.name} {found.metric.text(found.value)}: "
        + " ".join(f"--{key} {value}" for key, value in found.overrides.items())
    )
    return 0


COMMANDS = {
    "run": run_plan,
    "table": table,
    "compare": compare_two,
    "plot": plot,
    "report": report,
    "search": search_one,
    "tune": tune_plan,
}

if __name__ == "__main__":
    sys.exit(main())
