"""Tables of a plan's results: Markdown, CSV and LaTeX."""

import csv
import io
from pathlib import Path

from speechbrain_petl.experiments.reporting.collect import Outcome
from speechbrain_petl.experiments.reporting.layout import detail, overview
from speechbrain_petl.experiments.reporting.rows import footnotes, make_rows
from speechbrain_petl.utils.files import write_file


def markdown(outcome: Outcome) -> str:
    """Returns all tables of a plan as Markdown."""
    rows = make_rows(outcome)
    parts = [f"# {outcome.plan['title']}", *outcome.warnings()]
    parts.append(
        f"Test {outcome.phrase()}, mean ± sample standard deviation over folds, "
        "seeds and draws. Trainable parameters: method and LayerNorms, without "
        f"head and final LayerNorm. {_settings(outcome)}"
    )
    parts.append(_markdown_table(*overview(rows)))
    parts += footnotes(outcome)
    for corpus in outcome.plan["corpora"]:
        here = [row for row in rows if row.corpus == corpus]
        parts += [f"## {outcome.title(corpus)}", _markdown_table(*detail(here))]
    return "\n\n".join(parts) + "\n"


def _settings(outcome):
    """Returns a sentence on the overrides that all runs share."""
    return f"In all runs: {outcome.settings() or 'the settings of the YAMLs'}."


def _markdown_table(header, body):
    """Returns a Markdown table with aligned columns."""
    widths = [max(map(len, column)) for column in zip(header, *body)]

    def line(cells):
        """Returns one row; the first column is text, the others are numbers."""
        padded = [cells[0].ljust(widths[0])]
        padded += [c.rjust(w) for c, w in zip(cells[1:], widths[1:])]
        return "| " + " | ".join(padded) + " |"

    rule = ["-" * widths[0]] + ["-" * (w - 1) + ":" for w in widths[1:]]
    return "\n".join([line(header), line(rule), *map(line, body)])


def latex(outcome: Outcome) -> str:
    """Returns the overview as a LaTeX table for the package booktabs."""
    header, body = overview(make_rows(outcome))
    lines = [
        " & ".join(_latex(cell) for cell in row) for row in [header, *body]
    ]
    caption = " ".join(
        [
            f"{outcome.plan['title']}.",
            *outcome.warnings(),
            _settings(outcome),
            *footnotes(outcome),
        ]
    )
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
    """Escapes a text for LaTeX."""
    for old, new in {
        "_": r"\_",
        "%": r"\%",
        "&": r"\&",
        "±": r"$\pm$",
    }.items():
        text = text.replace(old, new)
    return text


def long_csv(outcome: Outcome) -> str:
    """Returns all results as CSV: a line per variant, corpus and number of shots."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    kinds = ("method", "norm", "norm_final", "head")
    writer.writerow(
        "variant corpus shots done expected mean deviation pooled low high "
        "paper difference".split()
        + [*kinds, "paper_trainable", "metric"]
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
            + [row.paper_size, "" if s is None else s.metric.name]
        )
    return text.getvalue()


def _number(value):
    """Formats a number for a CSV file."""
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
