"""The options of the command ``speechbrain-petl``."""

import argparse

import speechbrain_petl
from speechbrain_petl.cli.answer_options import add_answers
from speechbrain_petl.cli.artefact_options import add_artefacts
from speechbrain_petl.cli.other_options import add_others
from speechbrain_petl.cli.serve_options import add_pages
from speechbrain_petl.cli.train_options import add_train
from speechbrain_petl.utils.arguments import add_debug

LICENSE = (
    "speechbrain-petl is licensed under the Apache License, Version 2.0: "
    "https://www.apache.org/licenses/LICENSE-2.0. Backbones, corpora and "
    "trained artefacts have licenses of their own: see the README of each."
)


def make_parser() -> argparse.ArgumentParser:
    """Makes the parser of all commands.

    Returns
    -------
    argparse.ArgumentParser
        Its result has ``home``, a module of ``cli``, ``run``, the name of a
        function there, and ``stopped``, what to say after Ctrl-C.

    Example
    -------
    >>> make_parser().parse_args(["inspect", "artefact"]).run
    'inspect'
    """
    top = argparse.ArgumentParser(
        prog="speechbrain-petl",
        description="Train adapters of audio transformers, and use them.",
        epilog="speechbrain-petl <command> --help shows examples.",
    )
    top.add_argument(
        "--version",
        action="version",
        version=f"%(prog)s {speechbrain_petl.__version__}",
    )
    top.add_argument(
        "--license",
        action="version",
        version=LICENSE,
        help="show the license and exit",
    )
    commands = top.add_subparsers(metavar="<command>", required=True)

    def command(
        name,
        run,
        summary,
        examples,
        epilog="",
        home="commands",
        stopped="stopped",
        debug=True,
    ):
        """Adds a command, which runs a function of a module of ``cli``."""
        lines = "".join(f"  speechbrain-petl {line}\n" for line in examples)
        added = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            epilog=f"examples:\n{lines}{epilog}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(run=run, home=home, stopped=stopped)
        if debug:
            add_debug(added)
        return added

    for add in (add_train, add_answers, add_pages, add_artefacts, add_others):
        add(command)
    return top
