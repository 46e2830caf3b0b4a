"""``speechbrain-petl``: trained adapters from the command line."""

import importlib
import logging
import sys
import time
from collections.abc import Sequence
from functools import partial

from speechbrain_petl.cli.options import make_parser
from speechbrain_petl.utils.errors import run_command

PROGRAM = "speechbrain-petl"
# Modules that start at once, and import what takes seconds where it is needed
LIGHT = {"inspection", "recipes", "others", "own_sounds"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line.

    Arguments
    ---------
    arguments : sequence of str, optional
        Arguments of the command; those of the process by default.

    Returns
    -------
    int
        Exit code: 0 if all went well, 1 if some files failed, 2 if nothing
        was done, 130 if it was stopped by Ctrl-C.
    """
    began = time.monotonic()
    options = make_parser().parse_args(arguments)
    options.began = began  # imports take seconds, too
    return run_command(
        partial(run, options), PROGRAM, options.debug, options.stopped
    )


def run(options) -> int:
    """Runs the command that the options name; returns the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    # Only now, since some take seconds, which a help text should not.
    home = importlib.import_module(f"speechbrain_petl.cli.{options.home}")
    if options.home not in LIGHT:
        importlib.import_module("speechbrain_petl.cli.shared").quiet()
    return getattr(home, options.run)(options)


if __name__ == "__main__":
    sys.exit(main())
