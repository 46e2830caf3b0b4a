"""Real cells, from plan to page."""

import json
import re
import shutil
import subprocess

import pytest
from speechbrain_petl.experiments.__main__ import main


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """Two cells of the demo: a linear probe and a mixture of adapters."""
    folder = tmp_path_factory.mktemp("demo")
    arguments = ["run", "demo", "--output", str(folder), "--folds", "1"]
    arguments += ["--corpora", "ESC50", "--set", "device=cpu"]
    for variant in ("linear", "soft_moa"):
        only = ["--only", f"*/{variant}/*"]
        assert main([*arguments, *only]) == 0, variant
    return folder


@pytest.mark.slow
def test_tables_figures_and_a_page_of_real_runs(output, capsys, tmp_path):
    assert main(["table", str(output)]) == 0
    text = capsys.readouterr().out
    assert re.search(r"\| soft_moa +\| +\d+,\d+ \| +\d+\.\d\d \|", text)
    assert "2 of 4 cells are missing" in text
    assert main(["plot", str(output)]) == 0
    drawn = {file.name for file in (output / "figures").iterdir()}
    assert not any(name.startswith("tsne") for name in drawn), "of 8 clips"
    for kind in ("parameters", "ranking"):
        assert {f"{kind}_ESC50.png", f"{kind}_ESC50.svg"} <= drawn
    for kind in ("training", "confusion", "experts"):
        assert f"{kind}_ESC50_soft_moa.svg" in drawn
    assert "experts_ESC50_linear.svg" not in drawn

    assert main(["report", str(output)]) == 0
    page = (output / "report.html").read_text(encoding="utf-8")
    outside = re.findall(r"""(?:src|href)=["'](?!#|data:)[^"']+""", page)
    assert not outside, "it opens with no network"
    assert "ESC50/lora/seed_1234/fold_1: not finished" in page
    assert str(output) not in page, "no folder of this machine"
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids)), "figures do not share names"

    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed: the page was not rendered")
    picture = tmp_path / "page.png"
    subprocess.run(
        [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--window-size=1200,3000",
            f"--screenshot={picture}",
            f"file://{output / 'report.html'}",
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    assert picture.stat().st_size > 50_000, "an empty page is smaller"


@pytest.mark.slow
def test_a_dry_run_tells_what_is_left(output, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["run", "demo", "--output", str(output), "--folds", "1"]
    arguments += ["--corpora", "ESC50", "--set", "device=cpu", "--dry_run"]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "finished     ESC50/linear/seed_1234/fold_1" in text
    assert "new          ESC50/lora/seed_1234/fold_1" in text
    cost = re.search(r"about ([\d,]+) GFLOPs left in 2 cells", text)
    assert int(cost[1].replace(",", "")) > 100
    assert not list(tmp_path.iterdir()), "it leaves nothing behind"


@pytest.mark.slow
def test_one_run_on_two_processes(tmp_path):
    arguments = ["run", "demo", "--output", str(tmp_path), "--folds", "1"]
    arguments += ["--corpora", "ESC50", "--only", "*/lora/*"]
    arguments += ["--set", "device=cpu", "--set", "number_of_epochs=1"]
    code = main([*arguments, "--launcher", "torchrun", "--nproc", "2"])
    cell = tmp_path / "ESC50/lora/seed_1234/fold_1"
    assert code == 0, (cell / "run.log").read_text()[-3000:]
    command = json.loads((cell / "cell.json").read_text())["command"]
    assert "torch.distributed.run" in command
    assert json.loads((cell / "results.json").read_text())["n_test"] == 8
