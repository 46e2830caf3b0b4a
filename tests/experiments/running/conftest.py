"""Runners in this process."""

import pytest
from speechbrain_petl.experiments.__main__ import main


@pytest.fixture
def experiments(recipes, tmp_path, capsys):
    """Runs a plan in this process: exit code, and what was printed."""

    def run(plan, *more):
        output = tmp_path / "out"
        arguments = ["run", str(plan), "--recipes", str(recipes)]
        code = main([*arguments, "--output", str(output), *more])
        printed = capsys.readouterr()
        return code, printed.out + printed.err, output

    return run
