"""Lays rows out as tables of text: an overview, and all details."""

from statistics import mean

from speechbrain_petl.experiments.reporting.rows import Row
from speechbrain_petl.experiments.reporting.statistics import Summary

NONE = "-"


def overview(rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    """Makes the table as the paper prints it: variants by corpora.

    Returns
    -------
    header : list of str
    body : list of list of str
        ``4/5`` stands behind a mean that lacks a cell; the average is over
        corpora that lack none, and not there where corpora have different
        metrics, which their headings name. The paper's figures follow ours, if there are
        any.
    """
    headings = {(row.corpus, row.shots): row.heading for row in rows}
    columns = list(headings)
    found = {(row.variant, row.corpus, row.shots): row for row in rows}
    papers = any(row.paper is not None for row in rows)
    sizes = any(row.paper_size for row in rows)
    metrics = {
        row.corpus: row.summary.metric
        for row in rows
        if row.summary is not None
    }
    alike = len(set(metrics.values())) < 2
    average = len(columns) > 1 and alike
    if not alike:
        headings = {
            (corpus, shots): f"{heading}, {metrics[corpus].label}"
            if corpus in metrics
            else heading
            for (corpus, shots), heading in headings.items()
        }

    header = ["Variant", "Trainable"]
    if sizes:
        header.append("Paper")
    for heading in [*headings.values(), *(["Mean"] if average else [])]:
        header.append(heading)
        if papers:
            header.append("Paper")

    body = []
    for variant in dict.fromkeys(row.variant for row in rows):
        here = [found.get((variant, *column)) for column in columns]
        summaries = [row.summary if row else None for row in here]
        line = [variant, trainable(summaries)]
        if sizes:
            line.append(_papers_size(here))
        for row in here:
            line.append(_cell(row))
            if papers:
                line.append(_percent(row.paper if row else None))
        if average:
            line.append(_mean_of_whole(summaries))
            if papers:
                line.append(_mean([row.paper if row else None for row in here]))
        body.append(line)
    return header, body


def detail(rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    """Makes the table of all details of each variant on one corpus.

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
                if s is None or s.pooled is None
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
                _percent(row.paper),
                NONE if row.difference is None else f"{row.difference:+.2f}",
            ]
        )
    # A column that says nothing is left out.
    empty = {"Shots": "all"}
    if all(row.paper is None for row in rows):
        empty |= {"Paper": NONE, "Difference": NONE}
    kept = [
        i
        for i, name in enumerate(header)
        if any(line[i] != empty.get(name) for line in body)
    ]
    return [header[i] for i in kept], [[line[i] for i in kept] for line in body]


def trainable(summaries: list[Summary | None]) -> str:
    """Returns the parameters of method and LayerNorms, over all corpora."""
    counts = sorted(
        {s.trainable["method"] + s.trainable["norm"] for s in summaries if s}
    )
    ends = dict.fromkeys(counts[:1] + counts[-1:])
    return " to ".join(f"{count:,}" for count in ends) or NONE


def _cell(row):
    """Returns the mean of a row as text."""
    if row is None:
        return NONE
    return f"0/{row.expected}" if row.summary is None else row.summary.text()


def _papers_size(rows):
    """Returns the paper's count of parameters: of a variant, it has one."""
    sizes = [row.paper_size for row in rows if row and row.paper_size]
    return sizes[0] if sizes else NONE


def _mean_of_whole(summaries):
    """Returns the average over corpora, if no cell of any is missing."""
    if any(s is None or not s.complete for s in summaries):
        return NONE
    return _mean([s.mean for s in summaries], summaries[0].metric.decimals)


def _percent(value):
    """Returns a figure of the paper as text."""
    return NONE if value is None else f"{value:.2f}"


def _mean(values, decimals=2):
    """Returns the average as text, if none of its values is missing."""
    return NONE if None in values else f"{mean(values):.{decimals}f}"
