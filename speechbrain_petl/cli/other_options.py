"""The commands around training: norm-stats, recipe, experiments, demo."""

import argparse
from collections.abc import Callable

from speechbrain_petl.experiments.options import add_commands
from speechbrain_petl.utils.arguments import count
from speechbrain_petl.utils.errors import GOES_ON


def add_others(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Adds the commands, given what adds one (see ``options``)."""
    stats = command(
        "norm-stats",
        "norm_stats",
        "mean and standard deviation of a corpus's features, as overrides",
        [
            "norm-stats results/linear/seed_1234/fold_1/manifest/train.json "
            "\\\n    --data_folder ESC-50 --max_length 500",
        ],
    )
    stats.add_argument("manifest", help="the train.json of a run")
    stats.add_argument(
        "--data_folder", required=True, help="folder of the corpus"
    )
    stats.add_argument(
        "--max_length",
        type=count,
        default=1024,
        metavar="FRAMES",
        help="clip length in frames of 10 ms, as in training (default: 1024)",
    )

    copied = command(
        "recipe",
        "recipe",
        "list the recipes, or copy one to work on",
        ["recipe", "recipe ESC50", "recipe ESC50 --output recipes/ESC50"],
        home="recipes",
    )
    copied.add_argument(
        "name", nargs="?", help="name of a recipe; without it, lists them"
    )
    copied.add_argument(
        "--output",
        metavar="DIR",
        help="folder to write, which is not there yet (default: <name>)",
    )

    plans = command(
        "experiments",
        "experiments",
        "run plans of many trainings; their tables, figures and page",
        [
            "experiments run demo",
            "experiments run table1 --data_folder ESC50=/data/ESC-50 --dry_run",
            "experiments table results/demo",
            "experiments run --help",
        ],
        home="others",
        stopped=GOES_ON,
        debug=False,  # each step has it
    )
    add_commands(plans)

    shown = command(
        "demo",
        "demo",
        "train and use adapters in miniature, without any download",
        ["demo", "demo --folder /tmp/demo"],
        home="others",
        stopped=GOES_ON,
    )
    shown.add_argument(
        "--folder",
        default="results/demo",
        help="output folder (default: results/demo)",
    )
