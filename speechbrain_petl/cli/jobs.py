"""Classifies the parts of many files in jobs of their own, as on a cluster."""

import argparse
import copy
from pathlib import Path
from typing import Any, NamedTuple

from speechbrain_petl.cli.files import shard_path
from speechbrain_petl.experiments.planning.overrides import pairs
from speechbrain_petl.experiments.running.launchers import Submitit
from speechbrain_petl.utils.messages import printable
from speechbrain_petl.utils.optional import require

LOST = 2  # exit code of a part that nobody finished


class Part(NamedTuple):
    """A part of the files, as it is sent to a machine of the cluster.

    Its answers are in its own file, so that the same call goes on with it
    after the job was ended.

    Arguments
    ---------
    options : argparse.Namespace
        Options of the command, with ``shard``.
    """

    options: argparse.Namespace

    def __call__(self) -> int:
        """Classifies the files of the part; returns the exit code."""
        from speechbrain_petl.cli.main import run

        return run(self.options)

    def checkpoint(self) -> Any:
        """Returns what is to run when the job comes back: the same."""
        helpers = require("submitit.helpers", "experiments", "Slurm")
        return helpers.DelayedSubmission(self)


def parts_of(options: argparse.Namespace) -> list[Part]:
    """Returns the parts of a command with ``--launcher submitit``.

    Arguments
    ---------
    options : argparse.Namespace
        Options of the command.

    Returns
    -------
    list of Part
        As many as ``--jobs``; each is the command for a shard, run in the
        process of its job.

    Raises
    ------
    ValueError
        If the answers would be lost, or a part cannot be divided further.
    """
    if not (options.output or options.timeline):
        raise ValueError(
            "--launcher submitit needs --output FILE, to which the answers of "
            "each part are added, or --timeline DIR."
        )
    if options.shard != (1, 1):
        raise ValueError(
            "--launcher submitit divides the files itself, into as many parts "
            "as --jobs says: leave --shard out."
        )
    if options.files_from == "-":
        raise ValueError(
            "--files-from - is read once, and --launcher submitit has several "
            "jobs: write the list to a file."
        )
    parts = []
    for k in range(1, options.jobs + 1):
        own = copy.copy(options)
        own.launcher, own.shard = "local", (k, options.jobs)
        parts.append(Part(own))
    return parts


def submit(options: argparse.Namespace) -> int:
    """Runs all parts as jobs, and waits for them.

    Arguments
    ---------
    options : argparse.Namespace
        Options of the command.

    Returns
    -------
    int
        The highest exit code of a part.

    Raises
    ------
    ValueError
        See ``parts_of`` and ``Submitit``.
    """
    parts = parts_of(options)
    home = Path(options.output or options.timeline)
    launcher = Submitit(
        home.parent / f"{home.stem}-jobs",
        options.cluster,
        **pairs(options.slurm, "--slurm"),
    )
    try:
        codes = [
            future.result()
            for future in [launcher.send(part, lost) for part in parts]
        ]
    except BaseException:
        launcher.stop()
        raise
    for part, code in zip(parts, codes, strict=True):
        if options.output:
            where = shard_path(options.output, part.options.shard)
            print(f"{printable(where)}\t{SAID[code]}")
    return max(codes)


def lost(error: Exception) -> int:
    """Tells of a part that nobody finished, and returns its exit code."""
    # submitit's first line has the log; its last says what happened, if any.
    lines = str(error).strip().splitlines() or [type(error).__name__]
    reason = "; ".join(dict.fromkeys([lines[0], lines[-1]]))
    print(
        f"A part was lost: {printable(reason)}; the same command goes on with it."
    )
    return LOST


SAID = {0: "done", 1: "done, some files failed", LOST: "not done"}
