"""Tables in three formats; what is missing is said."""

import csv
import io
import json
import statistics

from speechbrain_petl.experiments.reporting.collect import collect
from speechbrain_petl.experiments.reporting.table import write_tables


def test_all_three_formats(output, accuracies):
    texts = write_tables(collect(output), output / "tables")
    spread = f"{statistics.stdev(accuracies['lora']):.2f}"
    overview = f"| lora    |   221,184 |  221K | 74.00 ± {spread} | 84.75 |"
    assert overview in texts["table.md"], "the paper's figures beside ours"
    assert "| linear  |         0 |     - | 72.00 ±" in texts["table.md"]
    assert "| 84.75 |          - |" in texts["table.md"]
    assert "is an excerpt here" in texts["table.md"], "80 of 400 clips"
    assert "In all runs: lr=0.1, source=ast_mini." in texts["table.md"]
    assert r"In all runs: lr=0.1, source=ast\_mini." in texts["table.tex"]
    line = rf"lora & 221,184 & 221K & 74.00 $\pm$ {spread} & 84.75 \\"
    assert line in texts["table.tex"]
    rows = list(csv.DictReader(io.StringIO(texts["table.csv"])))
    assert rows[0]["pooled"] == "74.0000" and rows[0]["head"] == "7690"
    assert rows[0]["paper_trainable"] == "221K"
    for name, text in texts.items():
        assert (output / "tables" / name).read_text() == text


def test_what_is_missing_is_never_averaged_in_silence(output):
    (output / "ESC50/lora/seed_1/fold_3/results.json").unlink()
    texts = write_tables(collect(output), output / "tables")
    shown = f"{statistics.mean([70, 72.5, 71.25, 76.25]):.2f}"
    spread = f"{statistics.stdev([70, 72.5, 71.25, 76.25]):.2f}"
    assert f"{shown} ± {spread} (4/5)" in texts["table.md"]
    assert "1 of 10 cells are missing" in texts["table.md"]
    for fold in (1, 2, 4, 5):
        (output / f"ESC50/lora/seed_1/fold_{fold}/results.json").unlink()
    texts = write_tables(collect(output), output / "tables")
    assert "0/5" in texts["table.md"]


def test_counts_that_no_closed_form_gives_have_a_footnote(output, tmp_path):
    file = output / "plan.json"
    texts = write_tables(collect(output), tmp_path)
    assert "479,520" not in texts["table.md"]
    plan = json.loads(file.read_text())
    plan |= {"paper": "table5", "variants": ["lora", "adapter_hydra"]}
    file.write_text(json.dumps(plan))
    for name, text in write_tables(collect(output), tmp_path).items():
        said = "adapter_hydra: the paper counts 470K" in text.replace(
            "\\_", "_"
        )
        assert said == (name != "table.csv"), name
