"""The options of ``python -m speechbrain_petl.experiments``."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from speechbrain_petl.utils.arguments import add_debug, count, duration

NARROWING = ("corpora", "folds", "seeds", "shots", "draws")


def make_parser(
    functions: Mapping[str, Callable],
) -> argparse.ArgumentParser:
    """The parser of all commands.

    Arguments
    ---------
    functions : dict of str to callable
        What each command calls with its options.

    Returns
    -------
    argparse.ArgumentParser
    """
    top = argparse.ArgumentParser(
        prog="python -m speechbrain_petl.experiments",
        description="Plans of many runs: the papers' tables and figures.",
    )
    commands = top.add_subparsers(metavar="<command>", required=True)
    kept = argparse.ArgumentParser(add_help=False)
    kept.add_argument("output", type=Path, help="a plan's output folder")
    kept.add_argument(
        "--plan", help="which, where plans share the folder; default: the last"
    )

    def command(name, summary, *parents):
        """Adds a command."""
        added = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:],
            parents=parents,
        )
        added.set_defaults(run=functions[name])
        add_debug(added)
        return added

    _add_run(command("run", "run what is not finished of a plan"))
    command("table", "write tables of what is finished", kept)
    pair = command("compare", "test two variants fold by fold", kept)
    pair.add_argument("first", help="a variant")
    pair.add_argument("second", help="another one")
    draw = command("plot", "draw figures of what is finished", kept)
    draw.add_argument("--kinds", metavar="A,B,...", help="default: all")
    command("report", "write one web page of everything", kept)
    _add_search(command("search", "search hyperparameters by validation"))
    return top


def _add_run(some):
    """The options of ``run``."""
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
    _add_set(some, "an override of all runs, such as number_of_epochs=5")
    for name in NARROWING:
        some.add_argument(
            f"--{name}", metavar="A,B,...", help="instead of the plan's"
        )
    some.add_argument(
        "--only", help="cells whose name matches, such as */lora/*"
    )
    some.add_argument("--shard", metavar="I/N", help="every Nth cell, from I")
    some.add_argument("--jobs", type=count, default=1, help="runs at once")
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
        "--nproc", type=count, default=2, help="processes of a run by torchrun"
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


def _add_search(look):
    """The options of ``search``."""
    look.add_argument("yaml", type=Path, help="recipes/<Corpus>/hparams/*.yaml")
    look.add_argument("--data_folder", required=True, help="the corpus")
    look.add_argument(
        "--space",
        action="append",
        required=True,
        metavar="KEY=SPACE",
        help="LOW:HIGH, log:LOW:HIGH, int:LOW:HIGH or A,B,...; once a key",
    )
    look.add_argument("--trials", type=count, default=20, help="in all")
    look.add_argument("--output", help="default: results/search_<yaml>")
    look.add_argument(
        "--fold", type=int, help="test fold; its neighbour counts"
    )
    look.add_argument("--seed", type=int, default=1234)
    _add_set(look, "an override of all trials")


def _add_set(to, summary):
    """The option ``--set``."""
    to.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help=summary
    )
