"""Options: every command has examples, and a help text comes at once."""

import subprocess
import sys

from speechbrain_petl.cli.options import make_parser


def test_every_command_has_examples():
    commands = make_parser()._subparsers._group_actions[0].choices
    assert set(commands) == {
        "train",
        "predict",
        "bank",
        "verify-speakers",
        "serve",
        "export-space",
        "inspect",
        "verify",
        "merge",
        "export",
        "export-bank",
        "push",
        "pull",
        "norm-stats",
        "recipe",
        "experiments",
        "demo",
    }
    for name, command in commands.items():
        assert f"speechbrain-petl {name}" in command.epilog


def test_help_is_quick():
    code = (
        "import sys; from speechbrain_petl.cli.options import make_parser; make_parser();"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
