"""Commands of other rooms: reached by the one command, with their options."""

from speechbrain_petl.cli.main import main
from speechbrain_petl.cli.options import make_parser
from speechbrain_petl.demo import __main__ as demo
from speechbrain_petl.experiments import __main__ as experiments


def test_the_experiments_get_their_options(monkeypatch):
    seen = []

    def table(options):
        seen.append((options.output.name, options.plan, options.debug))
        return 7

    monkeypatch.setitem(experiments.COMMANDS, "table", table)
    words = ["experiments", "table", "results/a", "--plan", "b", "--debug"]
    assert main(words) == 7
    assert seen == [("a", "b", True)]


def test_the_demo_gets_its_folder(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(demo, "run", lambda folder: seen.append(folder) or 0)
    assert main(["demo", "--folder", str(tmp_path / "x")]) == 0
    assert seen == [tmp_path / "x"]


def test_stopped_they_say_how_to_go_on(monkeypatch, capsys):
    def stop(options):
        raise KeyboardInterrupt

    monkeypatch.setitem(experiments.COMMANDS, "table", stop)
    assert main(["experiments", "table", "x"]) == 130
    assert "stopped; the same command goes on" in capsys.readouterr().err


def test_a_usage_names_the_one_command():
    parser = make_parser()._subparsers._group_actions[0].choices["experiments"]
    steps = parser._subparsers._group_actions[0].choices
    assert set(steps) == set(experiments.COMMANDS)
    usage = steps["run"].format_usage()
    assert usage.startswith("usage: speechbrain-petl experiments run")
