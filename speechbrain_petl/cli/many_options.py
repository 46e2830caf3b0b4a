"""Options of commands that classify many files, or long ones."""

import argparse

from speechbrain_petl.utils.arguments import count, shard


class FilesFrom(argparse.Action):
    """Takes the name of a list of files; no other file is required then."""

    def __call__(self, parser, namespace, values, option_string=None):
        """Keeps the name."""
        setattr(namespace, self.dest, values)
        for action in parser._actions:
            if action.dest == "files":
                # A positional of any number, instead, would be empty wherever
                # an option stands before the files.
                action.required = False


def add_many(command: argparse.ArgumentParser) -> None:
    """Adds the options for many files and for long recordings."""
    command.add_argument(
        "--files_from",
        "--files-from",
        action=FilesFrom,
        metavar="FILE",
        help="file with the name of an audio file on each line; - reads them "
        "from the standard input",
    )
    command.add_argument(
        "--output",
        metavar="FILE",
        help="add the answers to a file, a line of JSON each; given again, "
        "files that have an answer are left out",
    )
    command.add_argument(
        "--shard",
        type=shard,
        default=(1, 1),
        metavar="K/N",
        help="classify the K-th of N parts of the files, such as 3/8",
    )
    command.add_argument(
        "--launcher",
        choices=["local", "submitit"],
        default="local",
        help="submitit: classify parts of the files in jobs of Slurm",
    )
    command.add_argument(
        "--jobs",
        type=count,
        default=8,
        metavar="N",
        help="with submitit: number of parts and jobs (default: 8)",
    )
    command.add_argument(
        "--cluster",
        default="slurm",
        help="with submitit: slurm, or local for a try on this machine",
    )
    command.add_argument(
        "--slurm",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="with submitit: parameter of its executor, such as "
        "slurm_partition=gpu",
    )
    command.add_argument(
        "--timeline",
        metavar="DIR",
        help="tell what is heard when in long recordings: labels as CSV, JSON, "
        "for Audacity and Raven, and a picture, into a folder",
    )
    command.add_argument(
        "--window",
        type=float,
        metavar="SECONDS",
        help="of a timeline: length of a window (default: as in training)",
    )
    command.add_argument(
        "--hop",
        type=float,
        metavar="SECONDS",
        help="of a timeline: from window to window (default: half a window)",
    )
    command.add_argument(
        "--threshold",
        type=float,
        metavar="P",
        help="of a timeline: least probability of a label (default: the "
        "artefact's, or 0.5)",
    )
    command.add_argument(
        "--gap",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="of a timeline: silence between two windows of a label that are "
        "joined (default: 0)",
    )
