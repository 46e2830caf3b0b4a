"""Faults are tried on whole commands; what came of each is recorded."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECORD = {}


@pytest.fixture
def record(request):
    """``record(fault, times=1)``: a fault that this test tried.

    What is recorded counts only if the test passes. With the option
    ``--record FILE`` all of it is written there, for docs/RELIABILITY.md.
    """
    tried = []
    yield lambda fault, times=1: tried.append((fault, times))
    report = getattr(request.node, "report", None)
    outcome = "passed" if report is not None and report.passed else "failed"
    test = f"{request.node.path.name}::{request.node.originalname}"
    for fault, times in tried:
        entry = RECORD.setdefault((test, fault), {"passed": 0, "failed": 0})
        entry[outcome] += times


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Lets the fixture above know how the test went."""
    report = yield
    if report.when == "call":
        item.report = report
    return report


def pytest_sessionfinish(session):
    """Writes the record."""
    file = session.config.getoption("--record")
    if file:
        rows = [
            {"test": test, "fault": fault, **times}
            for (test, fault), times in sorted(RECORD.items())
        ]
        Path(file).write_text(json.dumps(rows, indent=2) + "\n")


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
