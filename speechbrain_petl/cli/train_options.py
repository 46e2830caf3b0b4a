"""The command that trains on one's own sounds, and its options."""

import argparse
from collections.abc import Callable

from speechbrain_petl.utils.arguments import count, quantity
from speechbrain_petl.utils.errors import EXIT_CODES, GOES_ON

TRAIN_EXAMPLES = (
    "train sounds  # a subfolder for each class",
    "train sounds --minutes 30 --params 200K --output results/birds",
    "train clips --metadata clips.csv --group_by '^(\\d+)_' --source ./ast-mini",
    "train sounds --method lora --vote 3",
    "train more --continue results/sounds/artefact",
)


def add_train(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Adds the command, given what adds one (see ``options``)."""
    command = add(
        "train",
        "train",
        "train an adapter on a folder of your own sounds",
        TRAIN_EXAMPLES,
        EXIT_CODES,
        stopped=GOES_ON,
        home="own_sounds",
    )
    command.add_argument(
        "folder", help="folder of the sounds, with a subfolder for each class"
    )
    command.add_argument(
        "--metadata",
        metavar="FILE",
        help="table of the sounds instead of subfolders: CSV or .jsonl with "
        "file and label, and perhaps split, group, start and end",
    )
    command.add_argument(
        "--group_by",
        metavar="PATTERN",
        help="regular expression of file names, such as '^(\\d+)_': sounds in "
        "which it matches the same stay in one split",
    )
    command.add_argument(
        "--output",
        metavar="DIR",
        help="output folder (default: results/<name of the folder>); given "
        "again, an interrupted training goes on",
    )
    command.add_argument(
        "--minutes",
        type=float,
        default=10.0,
        metavar="N",
        help="time for everything (default: 10)",
    )
    command.add_argument(
        "--params",
        type=quantity,
        default=500_000,
        metavar="N",
        help="most parameters that train, without the head, such as 200K or "
        "1M (default: 500K)",
    )
    command.add_argument(
        "--method",
        default="auto",
        metavar="NAME",
        help="a YAML of recipes/AudioFolder, such as linear or lora; auto "
        "(default) tries several and picks by the validation split",
    )
    command.add_argument(
        "--source",
        metavar="BACKBONE",
        help="id of the Hugging Face hub, or a folder (default: AST, "
        "pretrained on AudioSet)",
    )
    command.add_argument(
        "--continue",
        dest="artefact",
        metavar="ARTEFACT",
        help="add these sounds to an artefact: its adapters stay, and its "
        "head learns new classes or more clips beside stored ones",
    )
    command.add_argument(
        "--vote",
        type=count,
        default=1,
        metavar="K",
        help="keep the best K models, whose probabilities are averaged "
        "(default: 1)",
    )
    command.add_argument(
        "--seed", type=int, default=1234, help="of splits and training"
    )
    command.add_argument(
        "--skip_bad_audio",
        action="store_true",
        help="leave out files that cannot be read, and name them",
    )
    command.add_argument(
        "--no_near_duplicates",
        action="store_true",
        help="do not look for compressed or overlapping copies",
    )
    command.add_argument(
        "--device", default="cpu", help="device, such as cuda:0 (default: cpu)"
    )
