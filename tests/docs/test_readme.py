"""The README's code runs, its options exist, the map of the tree is true."""

import csv
import json
import re
from datetime import date
from pathlib import Path

import pytest
import soundfile
from speechbrain_petl.cli.main import main
from speechbrain_petl.demo.sound_events import write_audio_folder
from speechbrain_petl.experiments.__main__ import main as experiments
from speechbrain_petl.training.command_line import DEFAULTS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HUB = "MIT/ast-finetuned-audioset-10-10-0.4593"
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("recipes/*/README.md"))]
# Without index.md, which conf.py writes.
PAGES += sorted((ROOT / "docs").glob("[A-Z]*.md"))


def blocks(language):
    """The README's code blocks of a language."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```", README, re.S | re.M)
    return [text for name, text in fences if name == language]


def test_the_python_code_runs(tiny_folder):
    (code,) = (code for code in blocks("python") if HUB in code)
    # The reduction rate of AST-base leaves 3 of the tiny one's 192 units.
    names = {}
    exec(code.replace(HUB, tiny_folder), names)
    assert "ffn.2.adapter.down.weight" in names["model"].delta()
    assert names["model"].count_parameters()["norm_final"] == 384


def test_the_code_for_own_sounds_runs(tiny_folder, tmp_path, monkeypatch):
    (code,) = (code for code in blocks("python") if "adapt(" in code)
    monkeypatch.chdir(tmp_path)
    backbones = str(Path(tiny_folder).parent)
    monkeypatch.setenv("SPEECHBRAIN_PETL_BACKBONES", backbones)
    write_audio_folder("sounds", 4, classes=2, seconds=0.3)
    soundfile.write("new.wav", [0.1] * 8000, 16000)
    quick = f'backbone="{tiny_folder}", method="linear"'
    names = {}
    exec(code.replace("minutes=10", quick), names)
    assert names["label"][0] in names["artefact"].labels


def test_the_code_of_a_bank_runs(
    make_artefact, tiny_folder, tmp_path, monkeypatch, capsys
):
    (code,) = (code for code in blocks("python") if "AdapterBank(" in code)
    monkeypatch.chdir(tmp_path)
    backbones = str(Path(tiny_folder).parent)
    monkeypatch.setenv("SPEECHBRAIN_PETL_BACKBONES", backbones)
    make_artefact(Path("results/dogs/artefact"), "linear", labels="abc")
    make_artefact(Path("results/frogs/artefact"), "lora", labels="de")
    soundfile.write("new.wav", [0.1, -0.1] * 4000, 16000)
    names = {}
    exec(code, names)
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said] == ["dogs", "frogs"]
    assert [found.task for found in names["mixed"]] == ["dogs", "frogs"]
    assert names["mixed"][0].label in "abc" and names["mixed"][1].label in "de"


def test_the_figures_of_a_bank_are_those_measured():
    """And the README says on which machine."""
    section = README.partition("## Serving ten adapters")[2].partition("## ")[0]
    folder = ROOT / "benchmarks"
    with open(folder / "serving.csv", encoding="utf-8") as file:
        rows = {row["contender"]: row for row in csv.DictReader(file)}
    for name, contender in (
        ("one model, for one task", "one model"),
        ("ten models", "ten models"),
        ("a bank of ten", "a bank of ten"),
    ):
        row = rows[contender]
        rate, peak, tensors = (
            float(row[key]) for key in ("clips_per_s", "peak_mb", "tensors_mb")
        )
        assert (
            f"| {name} | {rate:.2f} | {peak:,.0f} | {tensors:,.0f} |" in section
        )
    run = json.loads((folder / "runs.json").read_text())["serving"]
    for part in ("Intel", "Xeon", "2 threads"):
        assert part in run["machine"] and part in section
    day = date.fromisoformat(run["date"])
    assert f"{day.day}\n{day:%B %Y}" in section


def test_the_first_lines_hold_what_and_why_and_how():
    first = "\n".join(README.splitlines()[:30])
    assert "| PEFT | AdapterHub |" in first and "![" in first
    assert "pip install ." in first and "not released yet" in first
    assert first.count("\nspeechbrain-petl ") == 2
    assert "```python" in first and first.endswith("\n```")
    assert "pip install speechbrain-petl" not in README


def options_of_experiments(capsys):
    """What ``run`` and ``search`` take."""
    for command in ("run", "search"):
        with pytest.raises(SystemExit):
            experiments([command, "--help"])
    return set(re.findall(r"--(\w[\w-]*)", capsys.readouterr().out))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_options_in_commands_exist(page, capsys):
    recipe = page.parent if page.parent.parent.name == "recipes" else None
    hparams = (recipe or ROOT / "recipes" / "ESC50") / "hparams"
    text = "".join(file.read_text() for file in hparams.glob("*.yaml"))
    keys = set(re.findall(r"^(\w+):", text, re.M)) | set(DEFAULTS)
    if page.stem == "EXPERIMENTS":
        keys |= options_of_experiments(capsys)
    # What the tests recorded names other files than the recipes'.
    said = page.read_text().partition("<!-- record -->")[0]
    commands = re.findall(r"[\w/]+\.yaml (--.*?)(?:`|$)", said, re.M)
    commands += re.findall(r"^\| `(--.*?)` \|", said, re.M)
    for command in commands:
        for option in re.findall(r"--(\w[\w-]*)", command):
            assert option in keys, f"--{option} in {command}"
    for name in re.findall(r"\b(\w+)\.yaml\b", said):
        places = (hparams, hparams.parent)  # corpus.yaml is beside them
        there = any((p / f"{name}.yaml").exists() for p in places)
        assert there or name == "tuned", name  # which ``tune`` writes


def test_commands_on_an_artefact_run(
    make_artefact, tiny_folder, tmp_path, capsys
):
    artefact = "results/demo/adapter_hou_par/artefact"
    commands = re.findall(
        rf"^speechbrain-petl (\w+) {artefact}(.*)", README, re.M
    )
    assert len(commands) == 3
    make_artefact(tmp_path / "artefact")
    soundfile.write(tmp_path / "clip.wav", [0.1, -0.1] * 4000, 16000)
    for name, rest in commands:
        more = rest.replace("results/demo/corpus/audio/*.wav", "{clip}").split()
        more = [m.format(clip=tmp_path / "clip.wav") for m in more]
        if name != "inspect":
            more += ["--backbone", tiny_folder]
        assert main([name, str(tmp_path / "artefact"), *more]) == 0
        assert capsys.readouterr().out


def test_relative_links_lead_somewhere():
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)", page.read_text()):
            if not link.startswith("http"):
                assert (page.parent / link).exists(), f"{link} in {page}"


def test_make_verbs_exist():
    makefile = (ROOT / "Makefile").read_text()
    for verb in re.findall(r"\bmake (\w+)$", README, re.M):
        assert f"\n{verb}:" in makefile


def test_the_map_is_true():
    page = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
    tree = page.partition("## The tree")[2]
    for name in re.findall(r"[\w-]+\.py\b", tree):
        if name != "train.py" and "_prepare" not in name:
            found = list((ROOT / "speechbrain_petl").rglob(name))
            assert found, f"{name} is on the map and not in the tree"
    for file in (ROOT / "speechbrain_petl" / "lobes").glob("*.py"):
        if file.name != "__init__.py":
            assert file.name in tree, f"{file.name} is not on the map"
