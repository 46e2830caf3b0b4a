"""Rows as text: what is missing is never part of a mean."""

from speechbrain_petl.experiments.reporting.layout import (
    detail,
    overview,
    trainable,
)
from speechbrain_petl.experiments.reporting.rows import Row
from speechbrain_petl.experiments.reporting.statistics import Summary


def summary(mean, done=2, expected=2, method=1000):
    """What was found of a variant on a corpus."""
    sizes = {"method": method, "norm": 20, "norm_final": 3, "head": 4}
    return Summary(done, expected, mean, 1.0, mean, 50.0, 90.0, sizes)


def row(variant, corpus, found, paper=None, shots=None, **more):
    """A row of a plan of two cells."""
    return Row(variant, corpus, corpus.title(), shots, found, 2, paper, **more)


def test_the_average_is_of_whole_rows_only():
    rows = [
        row("whole", "a", summary(80.0)),
        row("whole", "b", summary(70.0)),
        row("part", "a", summary(80.0)),
        row("part", "b", summary(70.0, done=1)),
        row("none", "a", None),  # and on b there is no such cell
    ]
    header, body = overview(rows)
    assert header == ["Variant", "Trainable", "A", "B", "Mean"]
    assert body == [
        ["whole", "1,020", "80.00 ± 1.00", "70.00 ± 1.00", "75.00"],
        ["part", "1,020", "80.00 ± 1.00", "70.00 ± 1.00 (1/2)", "-"],
        ["none", "-", "0/2", "-", "-"],
    ]


def test_the_papers_figures_follow_ours():
    rows = [
        row("x", "a", summary(80.0), 81.0, paper_size="1 K"),
        row("x", "b", summary(70.0), 72.0),
        row("y", "a", summary(80.0), 81.5),
        row("y", "b", summary(70.0)),
    ]
    header, body = overview(rows)
    places = [i for i, name in enumerate(header) if name == "Paper"]
    assert [[line[i] for i in places] for line in body] == [
        ["1 K", "81.00", "72.00", "76.50"],
        ["-", "81.50", "-", "-"],
    ]


def test_shots_are_a_column_where_there_are_any():
    rows = [row("x", "a", summary(80.0), 82.5), row("y", "a", None)]
    header, body = detail(rows)
    assert "Shots" not in header and len(body[0]) == len(header)
    told = dict(zip(header, body[0]))
    assert told["Head, final LN"] == "7" and told["Difference"] == "-2.50"
    assert set(body[1][2:]) == {"-"} and body[1][1] == "0/2"
    header, body = detail([*rows, row("x", "a", summary(60.0), shots=8)])
    assert [line[header.index("Shots")] for line in body] == ["all", "all", "8"]


def test_sizes_of_several_corpora_are_a_range():
    found = [summary(1.0, method=n) for n in (5000, 1000, 3000)]
    assert trainable([*found, None]) == "1,020 to 5,020"
    assert trainable([None]) == "-"
