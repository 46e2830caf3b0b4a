"""Options of the experiments: each command calls its function."""

import pytest
from speechbrain_petl.experiments.__main__ import COMMANDS
from speechbrain_petl.experiments.options import NARROWING, make_parser


@pytest.fixture
def parse():
    """Parses words."""
    parser = make_parser()
    return lambda line: parser.parse_args(line.split())


def test_each_command_has_its_function(parse):
    lines = {
        "run": "run demo",
        "table": "table out",
        "compare": "compare out lora linear",
        "plot": "plot out",
        "report": "report out",
        "search": "search a.yaml --data_folder d --space lr=1:2",
        "tune": "tune tuned",
    }
    for name, line in lines.items():
        assert parse(line).step == name
    assert set(lines) == set(COMMANDS)


def test_what_may_be_repeated_is_gathered(parse):
    options = parse(
        "run demo --data_folder A=a --data_folder B=b --set lr=1 --set x=2 "
        "--slurm p=1 --timeout 2m --jobs 3"
    )
    assert options.data_folder == ["A=a", "B=b"]
    assert options.set == ["lr=1", "x=2"] and options.slurm == ["p=1"]
    assert (options.timeout, options.jobs) == (120, 3)


def test_defaults_narrow_nothing(parse):
    options = parse("run demo")
    assert all(getattr(options, name) is None for name in NARROWING)
    assert not options.force and not options.dry_run
    assert options.only is options.shard is options.timeout is None
    assert parse("table out").plan is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "run",
        "run demo --jobs 0",
        "run demo --launcher ssh",
        "run demo --timeout soon",
        "search a.yaml --space lr=1:2",
        "compare out lora",
    ],
)
def test_wrong_words_are_a_usage_error(parse, line, capsys):
    with pytest.raises(SystemExit) as stopped:
        parse(line)
    assert stopped.value.code == 2
    assert "error: " in capsys.readouterr().err
