"""``python -m speechbrain_petl.experiments``: run, table, compare, ..."""

import argparse
import fnmatch
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml
from speechbrain_petl.experiments.cells import FINISHED
from speechbrain_petl.experiments.collect import collect
from speechbrain_petl.experiments.corpora import find_recipes
from speechbrain_petl.experiments.launchers import Local, Submitit
from speechbrain_petl.experiments.plan import load_plan, require
from speechbrain_petl.experiments.run import keep_plan, run, survey
from speechbrain_petl.experiments.statistics import compare
from speechbrain_petl.experiments.table import write_tables


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; gives the exit code.

    Arguments
    ---------
    arguments : sequence of str, optional
        Those of the process by default.

    Returns
    -------
    int
        0 if all went well, 1 if a cell is not finished, 2 if nothing was done.
    """
    options = parser().parse_args(arguments)
    # A runner that is asked to stop passes it on to what it runs.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return options.run(options)
    except ValueError as error:
        print(f"experiments: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser(
        prog="python -m speechbrain_petl.experiments",
        description="Plans of many runs: the papers' tables and figures.",
    )
    commands = top.add_subparsers(metavar="<command>", required=True)

    def command(name, function, summary):
        """Adds a command that works on an output folder."""
        added = commands.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:]
        )
        added.set_defaults(run=function)
        return added

    some = command("run", run_plan, "run what is not finished of a plan")
    some.add_argument("plan", help="a YAML file, or the name of a shipped plan")
    some.add_argument("--output", help="default: results/<plan>")
    some.add_argument("--recipes", help="the folder recipes of a clone")
    some.add_argument(
        "--data_folder",
        action="append",
        default=[],
        metavar="CORPUS=FOLDER",
        help="where a corpus is; once for each",
    )
    some.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an override of all runs, such as number_of_epochs=5",
    )
    for name in ("corpora", "folds", "seeds", "shots", "draws"):
        some.add_argument(
            f"--{name}", metavar="A,B,...", help="instead of the plan's"
        )
    some.add_argument(
        "--only", help="cells whose name matches, such as */lora/*"
    )
    some.add_argument("--shard", metavar="I/N", help="every Nth cell, from I")
    some.add_argument("--jobs", type=int, default=1, help="runs at once")
    some.add_argument(
        "--launcher", choices=["local", "torchrun", "submitit"], default="local"
    )
    some.add_argument(
        "--nproc", type=int, default=2, help="processes of a run by torchrun"
    )
    some.add_argument(
        "--cluster", default="slurm", help="of submitit: slurm or local"
    )
    some.add_argument(
        "--slurm",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="of submitit's executor, such as slurm_partition=gpu",
    )
    some.add_argument(
        "--force",
        action="store_true",
        help="throw away cells of other settings or data",
    )
    some.add_argument(
        "--dry-run",
        action="store_true",
        help="only show the cells and estimate their cost",
    )
    tables = command("table", table, "write tables of what is finished")
    tables.add_argument("output", type=Path, help="a plan's output folder")
    pair = command("compare", compare_two, "test two variants fold by fold")
    pair.add_argument("output", type=Path, help="a plan's output folder")
    pair.add_argument("first", help="a variant")
    pair.add_argument("second", help="another one")
    draw = command("plot", plot, "draw figures of what is finished")
    draw.add_argument("output", type=Path, help="a plan's output folder")
    draw.add_argument("--kinds", metavar="A,B,...", help="default: all")
    page = command("report", report, "write one web page of everything")
    page.add_argument("output", type=Path, help="a plan's output folder")
    look = command("search", search_one, "search hyperparameters by validation")
    look.add_argument("yaml", type=Path, help="recipes/<Corpus>/hparams/*.yaml")
    look.add_argument("--data_folder", required=True, help="the corpus")
    look.add_argument(
        "--space",
        action="append",
        required=True,
        metavar="KEY=SPACE",
        help="LOW:HIGH, log:LOW:HIGH or A,B,...; once for each key",
    )
    look.add_argument("--trials", type=int, default=20, help="in all")
    look.add_argument("--output", help="default: results/search_<yaml>")
    look.add_argument(
        "--fold", type=int, help="test fold; its neighbour counts"
    )
    look.add_argument("--seed", type=int, default=1234)
    look.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an override of all trials",
    )
    return top


def run_plan(options) -> int:
    """Runs a plan."""
    recipes = find_recipes(options.recipes)
    changes = {
        "overrides": pairs(options.set, "--set"),
        "data_folders": pairs(options.data_folder, "--data_folder"),
    }
    for name in ("corpora", "folds", "seeds", "shots", "draws"):
        text = getattr(options, name)
        if text:
            changes[name] = [yaml.safe_load(x) for x in text.split(",")]
    plan = load_plan(options.plan, recipes, changes)
    output = Path(options.output or f"results/{Path(options.plan).stem}")
    n_processes = options.nproc if options.launcher == "torchrun" else 1
    keep_plan(plan, options.plan, output)
    work = choose(survey(plan, recipes, output, n_processes), options)
    if options.dry_run:
        from speechbrain_petl.experiments.cost import show

        return show(work, plan, recipes)
    if options.launcher == "submitit":
        parameters = pairs(options.slurm, "--slurm")
        launcher = Submitit(
            output / "slurm", options.cluster, options.force, **parameters
        )
    else:
        launcher = Local(options.jobs, options.force)
    try:
        outcomes = run(work, launcher, options.jobs)
    except BaseException:
        launcher.stop()
        raise
    print(", ".join(f"{count} {what}" for what, count in outcomes.items()))
    return 0 if outcomes[FINISHED] == len(work) else 1


def choose(work: list, options) -> list:
    """The cells that ``--only`` and ``--shard`` leave."""
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


def pairs(texts: Sequence[str], option: str) -> dict:
    """Reads ``KEY=VALUE``; the value as YAML does."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise ValueError(f"{option} is KEY=VALUE, not '{text}'.")
        found[key] = yaml.safe_load(value)
    return found


def table(options) -> int:
    """Writes tables and prints the Markdown one."""
    outcome = collect(options.output)
    print(write_tables(outcome, options.output / "tables")["table.md"])
    return 0


def compare_two(options) -> int:
    """Prints the paired test of two variants, corpus by corpus."""
    outcome = collect(options.output)
    for variant in (options.first, options.second):
        if variant not in outcome.plan["variants"]:
            raise ValueError(
                f"{options.output} has no variant '{variant}'; it has "
                f"{', '.join(outcome.plan['variants'])}."
            )
    for corpus in outcome.plan["corpora"]:
        found = compare(
            outcome.group(corpus=corpus, variant=options.first),
            outcome.group(corpus=corpus, variant=options.second),
        )
        print(
            f"{corpus}: {options.first} minus {options.second} "
            f"{found.difference:+.2f} points over {found.pairs} pairs; "
            f"p = {found.permutation:.4g} (paired permutation test), "
            f"{found.t_test:.4g} (paired t-test)"
        )
    return 0


def plot(options) -> int:
    """Draws figures."""
    from speechbrain_petl.experiments.plot import KINDS, write_figures

    kinds = options.kinds.split(",") if options.kinds else None
    require(kinds or [], KINDS, "kind of figure", "--kinds")
    outcome = collect(options.output)
    for file in write_figures(outcome, options.output / "figures", kinds):
        print(file)
    return 0


def report(options) -> int:
    """Writes the page."""
    from speechbrain_petl.experiments.report import write_report

    print(write_report(collect(options.output), options.output))
    return 0


def search_one(options) -> int:
    """Searches and prints the best overrides."""
    from speechbrain_petl.experiments.search import read_space, search

    best, accuracy = search(
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
        f"validation accuracy {100 * accuracy:.2f} %: "
        + " ".join(f"--{key} {value}" for key, value in best.items())
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
