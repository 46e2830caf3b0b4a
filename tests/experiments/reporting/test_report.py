"""The page shows what there is, and nothing of it is markup."""

import json
import re

from speechbrain_petl.experiments.__main__ import main

EVIL = "<script>alert(1)</script>\x1b[31m"


def test_a_page(output, capsys):
    (output / "ESC50/lora/seed_1/fold_2/results.json").unlink()
    assert main(["report", str(output)]) == 0
    assert capsys.readouterr().out == f"{output / 'report.html'}\n"
    page = (output / "report.html").read_text("utf-8")
    assert "<th>Variant</th>" in page and "<td>221,184</td>" in page
    assert "9 of 10 cells are finished" in page
    assert "ESC50/lora/seed_1/fold_2: not finished" in page
    assert "run plot first" in page and "is an excerpt here" in page
    anchors = set(re.findall(r'href="#(\w+)"', page))
    assert anchors == set(re.findall(r'<section id="(\w+)"', page))


def test_texts_are_no_markup(output):
    plan = json.loads((output / "plan.json").read_text())
    (output / "plan.json").write_text(
        json.dumps({**plan, "title": EVIL, "source": EVIL})
    )
    folder = output / "ESC50/lora/seed_1/fold_1"
    results = json.loads((folder / "results.json").read_text())
    results |= {"versions": {EVIL: EVIL}, "hyperparameters": {EVIL: EVIL}}
    (folder / "results.json").write_text(json.dumps(results))
    cell = {"hash": "0", "command": [EVIL, f"--x=/a/{EVIL}"]}
    (folder / "cell.json").write_text(json.dumps(cell))
    failed = output / "ESC50/lora/seed_1/fold_2"
    (failed / "results.json").unlink()
    failure = {"reason": EVIL, "exit_code": EVIL, "log_tail": [EVIL]}
    (failed / "failed.json").write_text(json.dumps(failure))
    assert main(["report", str(output)]) == 0
    page = (output / "report.html").read_text("utf-8")
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 10
    assert "\x1b" not in page and r"&lt;/script&gt;\x1b[31m" in page


def test_figures_are_put_into_the_page(output):
    (output / "figures").mkdir()
    svg = '<?xml version="1.0"?><svg><metadata>x</metadata>'
    svg += '<path id="a"/><use href="#a"/></svg>'
    for name in ("parameters_ESC50", "training_ESC50_lora"):
        (output / "figures" / f"{name}.svg").write_text(svg)
    assert main(["report", str(output)]) == 0
    page = (output / "report.html").read_text("utf-8")
    assert '<path id="f0-a"/><use href="#f0-a"/>' in page
    assert '<path id="f1-a"/>' in page and "<metadata>" not in page
    caption = "Training of lora: losses and validation accuracy by epoch"
    assert "<details><summary>Training curves (1)</summary>" in page
    assert caption in page and "Test accuracy against the number" in page
    assert page.index("a level line trains none") < page.index(caption)
    assert "run plot first" not in page


def test_a_corpus_is_a_section_and_its_best_is_named(output):
    assert main(["report", str(output)]) == 0
    page = (output / "report.html").read_text("utf-8")
    start = page.index('<section id="corpus1"><h2>ESC-50</h2>')
    section = page[start : page.index("</section>", start)]
    assert "Best: lora, 74.00 ± 4.09 %, with 221,184 trained" in section
    assert "The 95 % intervals of linear overlap" in section
    assert "<th>Pooled [95 %]</th>" in section
    assert "All corpora" not in page, "one corpus is its own overview"
    assert "initial-scale=1" in page and '<div class="scroll"><table>' in page


def test_why_a_cell_failed_is_told(output):
    cell = output / "ESC50/lora/seed_1/fold_2"
    (cell / "results.json").unlink()
    failure = {"reason": "the command failed", "exit_code": 1}
    failure["log_tail"] = ["Epoch 1", "Error: the loss is nan"]
    (cell / "failed.json").write_text(json.dumps(failure))
    assert main(["report", str(output)]) == 0
    page = (output / "report.html").read_text("utf-8")
    assert "ESC50/lora/seed_1/fold_2: the loss is nan (exit code" in page
