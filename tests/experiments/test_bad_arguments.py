"""Whatever the experiments are given, it ends in one line and an exit code."""

import re
import subprocess
import sys

import pytest
from speechbrain_petl.demo.__main__ import main as demo
from speechbrain_petl.experiments.__main__ import main

KINDS = re.compile(r"\b[A-Z]\w*(Error|Exception|Interrupt)\b: ")
PLANS = {
    "empty": "",
    "list": "[]",
    "text": "hello",
    "broken": "a: [",
    "twice": "title: a\ntitle: b",
    "tag": "title: !!python/object/apply:os.system [ls]",
    "unknown": "tilte: x\ncorpora: [ESC50]\nvariants: [lora]",
    "bare": "title: x",
    "corpus": "{title: x, corpora: [ESC], variants: [lora]}",
    "variant": "{title: x, corpora: [ESC50], variants: [loar]}",
    "number": "{title: x, corpora: [ESC50], variants: [3]}",
    "folds": "{title: x, corpora: [ESC50], variants: [lora], folds: 1}",
    "fold": "{title: x, corpora: [ESC50], variants: [lora], folds: [9]}",
    "seeds": "{title: x, corpora: [ESC50], variants: [lora], seeds: []}",
    "shots": "{title: x, corpora: [ESC50], variants: [lora], shots: [0]}",
    "key": "{1: 2}",
}
GOOD = "{title: x, corpora: [ESC50], variants: [lora], folds: [1]}"
LINES = [
    "run nowhere",
    "run folder",
    "run binary",
    "run good",
    "run good --recipes nowhere",
    "run good --data_folder ESC50",
    "run good --data_folder ESC50=nowhere",
    "run good --data_folder ESC51=folder",
    "run good --data_folder ESC50=folder --set lr",
    "run good --data_folder ESC50=folder --set lrr=1",
    "run good --data_folder ESC50=folder --set lr=[",
    "run good --data_folder ESC50=folder --set lr=1 --set lr=2",
    "run good --data_folder ESC50=folder --folds 9",
    "run good --data_folder ESC50=folder --folds x",
    "run good --data_folder ESC50=folder --folds [",
    "run good --data_folder ESC50=folder --shots 0",
    "run good --data_folder ESC50=folder --shard 3/2",
    "run good --data_folder ESC50=folder --shard x",
    "run good --data_folder ESC50=folder --only nothing",
    "run good --data_folder ESC50=folder --output text",
    "run good --data_folder ESC50=folder --launcher submitit --slurm x",
    "run good --data_folder ESC50=folder --launcher submitit --slurm x=1 "
    "--cluster nonsense",
    "table nowhere",
    "table text",
    "table folder",
    "table folder --plan x",
    "compare folder a b",
    "plot folder",
    "plot folder --kinds nonsense",
    "report folder",
    "search nowhere --data_folder folder --space lr=1:2",
    "search folder --data_folder folder --space lr=1:2",
    "search YAML --data_folder nowhere --space lr=1:2",
    "search YAML --data_folder folder --space lr",
    "search YAML --data_folder folder --space lr=2:1",
    "search YAML --data_folder folder --space lrr=1:2",
    "search YAML --data_folder folder --space lr=1:2 --set lr=1",
    "search YAML --data_folder folder --space lr=1:2 --output text",
]


@pytest.fixture
def refused(recipes, tmp_path, monkeypatch, capsys, record):
    """``refused(words)``: the one line that a command line ends in."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("text")
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    (tmp_path / "good").write_text(GOOD)
    monkeypatch.chdir(tmp_path)

    def run(words):
        record("experiments: arguments that cannot be")
        yaml = str(recipes / "ESC50" / "hparams" / "lora.yaml")
        words = [yaml if word == "YAML" else word for word in words]
        code = main(words)
        said = capsys.readouterr().err
        assert code == 2 and said.count("\n") == 1, said
        assert said.startswith("experiments: "), said
        assert not KINDS.search(said), said
        return said

    return run


@pytest.mark.parametrize("line", LINES)
def test_bad_arguments(line, refused):
    refused(line.split())


@pytest.mark.parametrize("plan", PLANS)
def test_bad_plans(plan, refused, tmp_path):
    (tmp_path / "plan.yaml").write_text(PLANS[plan])
    said = refused(["run", "plan.yaml", "--recipes", "recipes"])
    assert "plan.yaml" in said


@pytest.mark.parametrize(
    "line",
    [
        "",
        "nonsense",
        "run",
        "run good --jobs 0",
        "run good --nproc x",
        "run good --timeout 0",
        "run good --timeout soon",
        "run good --launcher nonsense",
        "compare folder a",
        "search YAML --data_folder folder",
        "search YAML --data_folder folder --space a=1:2 --trials 0",
    ],
)
def test_usage(line, capsys):
    with pytest.raises(SystemExit) as caught:
        main(line.split())
    assert caught.value.code == 2
    assert "usage: python -m speechbrain_petl.exp" in capsys.readouterr().err


def test_numbers_are_read_as_the_runs_read_them(recipes, write_plan, capsys):
    """YAML 1.1 takes 1e-3 for a text, and 010 for 8."""
    plan = write_plan(["linear"], folds=[1])
    arguments = ["run", str(plan), "--recipes", str(recipes), "--dry_run"]
    assert main([*arguments, "--set", "lr=1e-3", "--seeds", "010"]) == 0
    assert "linear/seed_10/" in capsys.readouterr().out


def test_the_demo_too(tmp_path, capsys):
    (tmp_path / "text").write_text("text")
    assert demo(["--folder", str(tmp_path / "text")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("demo: ") and said.count("\n") == 1


def test_ctrl_c_in_a_process_of_its_own(tmp_path):
    """The interpreter's own exit code and message are not shown."""
    code = (
        "import sys; from speechbrain_petl.experiments import __main__ as e\n"
        "def stop(*a): raise KeyboardInterrupt\n"
        "e.load_plan = stop; sys.exit(e.main(['run', 'demo']))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert run.returncode == 130
    assert run.stderr == "experiments: stopped; the same command goes on\n"
