"""Tables of a plan's results: Markdown, CSV and LaTeX."""

import csv
import io
from pathlib import Path
from statistics import mean
from typing import NamedTuple

from speechbrain_petl.experiments.collect import Outcome
from speechbrain_petl.experiments.corpora import RECIPES
from speechbrain_petl.experiments.statistics import Summary, summarise
from speechbrain_petl.results import write_file

PAPER = Path(__file__).parent / "paper.csv"
NONE = "-"


class Row(NamedTuple):
    """A variant on a corpus.

    Arguments
    ---------
    variant, corpus : str
        Which.
    shots : int or None
        Training clips of each class; None for all.
    summary : Summary or None
        What was found; None if no cell is finished.
    expected : int
        Cells of the plan.
    paper : float or None
        The paper's accuracy in %.
    """

    variant: str
    corpus: str
    shots: int | None
    summary: Summary | None
    expected: int
    paper: float | None

    @property
    def difference(self) -> float | None:
        """Ours minus the paper's, in points."""
        if self.summary is None or self.paper is None:
            return None
        return self.summary.mean - self.paper


def papers_figures(table: str | None) -> dict[tuple[str, str, str], float]:
    """The figures of a table of the paper, by variant, corpus and shots."""
    with open(PAPER, encoding="utf-8", newline="") as file:
        return {
            (row["variant"], row["corpus"], row["shots"]): float(
                row["accuracy"]
            )
            for row in csv.DictReader(file)
            if row["table"] == table
        }


def make_rows(outcome: Outcome) -> list[Row]:
    """Sums up a plan's results.

    Arguments
    ---------
    outcome : Outcome
        As ``collect`` reads it.

    Returns
    -------
    list of Row
        Variant by variant in the plan's order, corpus by corpus, shots by
        shots.
    """
    paper = papers_figures(outcome.plan["paper"])
    rows = []
    for variant in outcome.plan["variants"]:
        for corpus in outcome.plan["corpora"]:
            group = outcome.group(variant=variant, corpus=corpus)
            for shots in dict.fromkeys(r.cell["shots"] for r in group):
                here = [r for r in group if r.cell["shots"] == shots]
                key = (variant, corpus, "" if shots is None else str(shots))
                rows.append(
                    Row(
                        variant,
                        corpus,
                        shots,
                        summarise(here),
                        len(here),
                        paper.get(key),
                    )
                )
    return rows


def overview(rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    """The table as the paper prints it: variants by corpora.

    Returns
    -------
    header : list of str
    body : list of list of str
        ``4/5`` stands behind a mean that lacks a cell; the average is over
        corpora that lack none.
    """
    columns = list(dict.fromkeys((row.corpus, row.shots) for row in rows))
    found = {(row.variant, row.corpus, row.shots): row for row in rows}
    average = len(columns) > 1
    header = ["Variant", "Trainable", *map(_column, columns)]
    body = []
    for variant in dict.fromkeys(row.variant for row in rows):
        here = [found[(variant, *column)] for column in columns]
        summaries = [row.summary for row in here]
        line = [variant, trainable(summaries), *map(_cell, here)]
        if average:
            whole = all(s is not None and s.complete for s in summaries)
            line.append(
                f"{mean(s.mean for s in summaries):.2f}" if whole else NONE
            )
        body.append(line)
    return header + ["Mean"] * average, body


def detail(rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    """All that is known of each variant on one corpus.

    Returns
    -------
    header : list of str
    body : list of list of str
    """
    header = [
        "Variant",
        "Shots",
        "Cells",
        "Mean ± SD",
        "Pooled [95 %]",
        "Method",
        "LayerNorms",
        "Head, final LN",
        "Paper",
        "Difference",
    ]
    body = []
    for row in rows:
        s, missing = row.summary, f"0/{row.expected}"
        body.append(
            [
                row.variant,
                "all" if row.shots is None else str(row.shots),
                missing if s is None else f"{s.done}/{s.expected}",
                NONE if s is None else s.text().split(" (")[0],
                NONE
                if s is None
                else f"{s.pooled:.2f} [{s.low:.2f}, {s.high:.2f}]",
                *(
                    [NONE] * 3
                    if s is None
                    else [
                        f"{s.trainable['method']:,}",
                        f"{s.trainable['norm']:,}",
                        f"{s.trainable['head'] + s.trainable['norm_final']:,}",
                    ]
                ),
                NONE if row.paper is None else f"{row.paper:.2f}",
                NONE if row.difference is None else f"{row.difference:+.2f}",
            ]
        )
    if all(line[1] == "all" for line in body):
        header.pop(1)
        body = [line[:1] + line[2:] for line in body]
    return header, body


def trainable(summaries: list[Summary | None]) -> str:
    """Parameters of method and LayerNorms, the range over corpora."""
    counts = sorted(
        {s.trainable["method"] + s.trainable["norm"] for s in summaries if s}
    )
    ends = dict.fromkeys(counts[:1] + counts[-1:])
    return " to ".join(f"{count:,}" for count in ends) or NONE


def _column(column):
    """A column's heading."""
    corpus, shots = column
    return RECIPES[corpus].title + ("" if shots is None else f", {shots} shots")


def _cell(row):
    """A mean of the overview."""
    return f"0/{row.expected}" if row.summary is None else row.summary.text()


def warnings_of(outcome: Outcome) -> list[str]:
    """What a reader of the tables must know."""
    found = []
    for corpus in outcome.excerpts():
        found.append(
            f"{RECIPES[corpus].title} is an excerpt here: compare these "
            "figures with each other, not with the paper's."
        )
    missing = [r for r in outcome.results if r.results is None]
    failed = sum(r.failure is not None for r in missing)
    if missing:
        found.append(
            f"{len(missing)} of {len(outcome.results)} cells are missing, "
            f"{failed} of them failed."
        )
    return found


def markdown(outcome: Outcome) -> str:
    """All tables of a plan as Markdown."""
    rows = make_rows(outcome)
    parts = [f"# {outcome.plan['title']}", *warnings_of(outcome)]
    parts.append(
        "Test accuracy in %, mean ± sample standard deviation over folds, "
        "seeds and draws. Trainable parameters: method and LayerNorms, without "
        "head and final LayerNorm."
    )
    parts.append(_markdown_table(*overview(rows)))
    for corpus in outcome.plan["corpora"]:
        here = [row for row in rows if row.corpus == corpus]
        parts += [f"## {RECIPES[corpus].title}", _markdown_table(*detail(here))]
    return "\n\n".join(parts) + "\n"


def _markdown_table(header, body):
    """A table with aligned columns."""
    widths = [max(map(len, column)) for column in zip(header, *body)]

    def line(cells):
        """One row; the first column is text, the others are numbers."""
        padded = [cells[0].ljust(widths[0])]
        padded += [c.rjust(w) for c, w in zip(cells[1:], widths[1:])]
        return "| " + " | ".join(padded) + " |"

    rule = ["-" * widths[0]] + ["-" * (w - 1) + ":" for w in widths[1:]]
    return "\n".join([line(header), line(rule), *map(line, body)])


def latex(outcome: Outcome) -> str:
    """The overview as a LaTeX table for the package booktabs."""
    header, body = overview(make_rows(outcome))
    lines = [
        " & ".join(_latex(cell) for cell in row) for row in [header, *body]
    ]
    caption = " ".join([f"{outcome.plan['title']}.", *warnings_of(outcome)])
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{_latex(caption)}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(header) - 1)}}}",
            r"\toprule",
            lines[0] + r" \\",
            r"\midrule",
            *(line + r" \\" for line in lines[1:]),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _latex(text):
    """Escapes a text."""
    for old, new in {
        "_": r"\_",
        "%": r"\%",
        "&": r"\&",
        "±": r"$\pm$",
    }.items():
        text = text.replace(old, new)
    return text


def long_csv(outcome: Outcome) -> str:
    """Everything, a line a variant, corpus and number of shots."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    kinds = ("method", "norm", "norm_final", "head")
    writer.writerow(
        "variant corpus shots done expected mean deviation pooled low high "
        "paper difference".split()
        + list(kinds)
    )
    for row in make_rows(outcome):
        s = row.summary
        numbers = (
            [0, row.expected] + [""] * 5
            if s is None
            else [
                s.done,
                s.expected,
                *map(_number, (s.mean, s.deviation, s.pooled, s.low, s.high)),
            ]
        )
        writer.writerow(
            [row.variant, row.corpus, "" if row.shots is None else row.shots]
            + numbers
            + [_number(row.paper), _number(row.difference)]
            + ([""] * 4 if s is None else [s.trainable[k] for k in kinds])
        )
    return text.getvalue()


def _number(value):
    """A number of a CSV file."""
    return "" if value is None else f"{value:.4f}"


def write_tables(outcome: Outcome, folder: Path) -> dict[str, str]:
    """Writes ``table.md``, ``table.csv`` and ``table.tex``.

    Arguments
    ---------
    outcome : Outcome
        As ``collect`` reads it.
    folder : Path
        Where; created if need be.

    Returns
    -------
    dict of str to str
        The texts by file name.
    """
    texts = {
        "table.md": markdown(outcome),
        "table.csv": long_csv(outcome),
        "table.tex": latex(outcome),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_file(str(folder / name), text)
    return texts
