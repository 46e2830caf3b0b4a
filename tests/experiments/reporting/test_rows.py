"""Numbers as worked out by hand, beside the paper's."""

import csv
import io
import json
import statistics

import pytest
from speechbrain_petl.experiments.reporting.collect import collect
from speechbrain_petl.experiments.reporting.rows import make_rows
from speechbrain_petl.experiments.reporting.table import write_tables


def test_numbers(output, accuracies):
    lora, linear = make_rows(collect(output))
    assert lora.summary.mean == pytest.approx(74.0)
    assert lora.summary.deviation == pytest.approx(
        statistics.stdev(accuracies["lora"])
    )
    assert lora.summary.pooled == pytest.approx(74.0)
    assert lora.difference is None, "80 clips are not the paper's ESC-50"
    assert linear.paper == 75.85
    # Wilson's interval: the shares whose own deviation reaches the one found
    for share in (lora.summary.low / 100, lora.summary.high / 100):
        z = (0.74 - share) / (share * (1 - share) / 400) ** 0.5
        assert abs(z) == pytest.approx(1.959964, abs=1e-5)
    assert lora.summary.low < 74 < lora.summary.high


def test_the_average_is_over_whole_corpora_only(output):
    plan = json.loads((output / "plan.json").read_text())
    extra = {**plan["cells"][0], "corpus": "GoogleSpeechCommands", "name": "x"}
    plan["cells"].append({**extra, "fold": None})
    plan["cells"].append({**extra, "variant": "linear", "name": "y"})
    plan["corpora"].append("GoogleSpeechCommands")
    (output / "plan.json").write_text(json.dumps(plan))
    text = write_tables(collect(output), output / "tables")["table.md"]
    line = next(x for x in text.splitlines() if x.startswith("| lora"))
    ours, papers = (cell.strip() for cell in line.split("|")[-3:-1])
    assert ours == "-", "a corpus has no cell yet"
    assert float(papers) == pytest.approx((84.75 + 90.62) / 2, abs=0.006)


def test_a_whole_corpus_is_compared_with_the_paper(output):
    for file in output.glob("ESC50/lora/*/*/results.json"):
        results = json.loads(file.read_text())
        file.write_text(json.dumps({**results, "n_test": 400}))
    for file in output.glob("ESC50/linear/*/*/results.json"):
        file.unlink()
    lora, _ = make_rows(collect(output))
    assert lora.difference == pytest.approx(74.0 - 84.75)
    texts = write_tables(collect(output), output / "tables")
    assert "| 84.75 |     -10.75 |" in texts["table.md"]
    assert "excerpt" not in texts["table.md"]
    rows = list(csv.DictReader(io.StringIO(texts["table.csv"])))
    assert (rows[0]["paper"], rows[0]["difference"]) == ("84.7500", "-10.7500")
