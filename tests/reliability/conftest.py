"""Faults are tried on whole commands."""

import sys

import pytest


@pytest.fixture
def fails(train, capsys):
    """``fails(yaml, arguments)``: what the command says when it fails.

    One line on the terminal, and no traceback: Python would call the
    ``excepthook`` that the recipe leaves, and exit with 1.
    """

    def run(yaml, arguments):
        with pytest.raises((Exception, SystemExit)) as caught:
            train(yaml, arguments)
        capsys.readouterr()
        sys.excepthook(caught.type, caught.value, caught.tb)
        said = capsys.readouterr().err
        assert said.startswith("Error: ") and said.count("\n") == 1, said
        assert "Traceback (most" not in said
        return said

    return run
