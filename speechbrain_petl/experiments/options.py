"""The options of ``speechbrain-petl experiments``."""

import argparse
from pathlib import Path

from speechbrain_petl.utils.arguments import add_debug, count, duration

NARROWING = ("corpora", "folds", "seeds", "shots", "draws")


def make_parser() -> argparse.ArgumentParser:
    """Makes the parser of ``python -m speechbrain_petl.experiments``.

    Returns
    -------
    argparse.ArgumentParser
        Its result has ``step``, a key of ``experiments.__main__.COMMANDS``.
    """
    top = argparse.ArgumentParser(
        prog="python -m speechbrain_petl.experiments",
        description="Plans of many runs: the papers' tables and figures.",
    )
    add_commands(top)
    return top


def add_commands(top: argparse.ArgumentParser) -> None:
    """Adds the commands of the experiments to a parser.

    Arguments
    ---------
    top : argparse.ArgumentParser
        Its result has ``step`` then, as that of ``make_parser``.
    """
    commands = top.add_subparsers(metavar="<command>", required=True)
    kept = argparse.ArgumentParser(add_help=False)
    kept.add_argument("output", type=Path, help="output folder of a plan")
    kept.add_argument(
        "--plan",
        help="name of the plan if several share the folder (default: the last)",
    )

    def command(name, summary, *parents):
        """Adds a command."""
        added = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:],
            parents=parents,
        )
        added.set_defaults(step=name)
        add_debug(added)
        return added

    _add_run(command("run", "run the unfinished cells of a plan"))
    command("table", "write tables of the finished cells", kept)
    pair = command("compare", "compare two variants by a paired test", kept)
    pair.add_argument("first", help="a variant")
    pair.add_argument("second", help="another one")
    draw = command("plot", "draw figures of the finished cells", kept)
    draw.add_argument(
        "--kinds", metavar="A,B,...", help="kinds of figures (default: all)"
    )
    command("report", "write one web page of all results", kept)
    _add_search(command("search", "search hyperparameters by validation"))
    _add_tune(command("tune", "search for all variants of a plan, alike"))


def _add_tune(some):
    """Adds the options of ``tune``."""
    some.add_argument("plan", help="YAML file, or name of a shipped plan")
    some.add_argument(
        "--output", help="output folder (default: results/<plan>)"
    )
    some.add_argument("--recipes", help="folder recipes of a clone")
    some.add_argument(
        "--data_folder",
        action="append",
        default=[],
        metavar="CORPUS=FOLDER",
        help="folder of the corpus",
    )
    _add_set(some, "an override of all trials, such as source=ast-mini")


def _add_run(some):
    """Adds the options of ``run``."""
    some.add_argument("plan", help="YAML file, or name of a shipped plan")
    some.add_argument(
        "--output", help="output folder (default: results/<plan>)"
    )
    some.add_argument("--recipes", help="folder recipes of a clone")
    some.add_argument(
        "--data_folder",
        action="append",
        default=[],
        metavar="CORPUS=FOLDER",
        help="folder of a corpus; repeat for each corpus",
    )
    _add_set(some, "an override of all runs, such as number_of_epochs=5")
    for name in NARROWING:
        some.add_argument(
            f"--{name}",
            metavar="A,B,...",
            help=f"{name}, instead of those of the plan",
        )
    some.add_argument(
        "--only", help="pattern of names of cells to run, such as */lora/*"
    )
    some.add_argument(
        "--shard", metavar="I/N", help="run every Nth cell, from I"
    )
    some.add_argument(
        "--jobs", type=count, default=1, help="number of runs at once"
    )
    some.add_argument(
        "--timeout",
        type=duration,
        metavar="TIME",
        help="longest time of one run, such as 90s, 15m or 2.5h; a run that "
        "takes longer is ended and has failed (default: none)",
    )
    some.add_argument(
        "--launcher", choices=["local", "torchrun", "submitit"], default="local"
    )
    some.add_argument(
        "--nproc",
        type=count,
        default=2,
        help="number of processes per run, for torchrun",
    )
    some.add_argument(
        "--cluster", default="slurm", help="cluster of submitit: slurm or local"
    )
    some.add_argument(
        "--slurm",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="parameter of submitit's executor, such as slurm_partition=gpu",
    )
    some.add_argument(
        "--force",
        action="store_true",
        help="discard and repeat cells of other settings or data",
    )
    some.add_argument(
        "--dry_run",
        action="store_true",
        help="show the cells and estimate their cost, without running them",
    )


def _add_search(look):
    """Adds the options of ``search``."""
    look.add_argument("yaml", type=Path, help="recipes/<Corpus>/hparams/*.yaml")
    look.add_argument(
        "--data_folder", required=True, help="folder of the corpus"
    )
    look.add_argument(
        "--space",
        action="append",
        required=True,
        metavar="KEY=SPACE",
        help="LOW:HIGH, log:LOW:HIGH, int:LOW:HIGH or A,B,...; repeat for each "
        "key",
    )
    look.add_argument(
        "--trials", type=count, default=20, help="total number of trials"
    )
    look.add_argument(
        "--output", help="output folder (default: results/search_<yaml>)"
    )
    look.add_argument(
        "--fold", type=int, help="test fold, whose neighbor validates"
    )
    look.add_argument("--seed", type=int, default=1234)
    _add_set(look, "an override of all trials")


def _add_set(to, summary):
    """Adds the option ``--set``."""
    to.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help=summary
    )
