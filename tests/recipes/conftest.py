"""Small corpora in each layout, and how the tests run a recipe on them."""

import runpy
import sys
from pathlib import Path

import pytest
from speechbrain_petl.demo.corpora import SMALL, write_small


@pytest.fixture(scope="session")
def corpora(tmp_path_factory):
    """A small corpus for each recipe folder."""
    folder = tmp_path_factory.mktemp("corpora")
    return {recipe: write_small(recipe, folder / recipe) for recipe in SMALL}


@pytest.fixture
def arguments(corpora, tiny_folder):
    """``arguments(recipe, output, *more)``: overrides of a small run."""

    def make(recipe, output, *more):
        options = {
            "data_folder": corpora[recipe],
            "ast_source": tiny_folder,
            "output_folder": output,
            "max_length": 48,
            "batch_size": 4,
            "num_workers": 0,
        }
        flat = [str(x) for k, v in options.items() for x in (f"--{k}", v)]
        return [*flat, "--device", "cpu", "--noprogressbar", *more]

    return make


@pytest.fixture
def train(monkeypatch):
    """``train(yaml, arguments)``: runs train.py in this process."""

    def run(yaml, args):
        recipe = Path(yaml).parents[1]
        script = str(recipe / "train.py")
        monkeypatch.setattr(sys, "argv", [script, str(yaml), *args])
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)
        # SpeechBrain puts its logger's level there, for all that comes after.
        monkeypatch.setenv("SB_LOG_LEVEL", "INFO")
        monkeypatch.syspath_prepend(str(recipe))
        runpy.run_path(script, run_name="__main__")

    return run


def pytest_terminal_summary(terminalreporter):
    """Says how many of the YAMLs ran."""
    ran = {
        outcome: sum(
            "test_every_yaml_runs" in report.nodeid and report.when == "call"
            for report in terminalreporter.stats.get(outcome, [])
        )
        for outcome in ("passed", "failed")
    }
    if any(ran.values()):
        terminalreporter.write_line(
            f"YAMLs that ran in debug size: {ran['passed']} of "
            f"{sum(ran.values())}"
        )
