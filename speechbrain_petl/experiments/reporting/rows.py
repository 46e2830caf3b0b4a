"""The rows of a plan's tables: what was found, beside the paper's figures."""

import csv
from pathlib import Path
from typing import NamedTuple

from speechbrain_petl.experiments.reporting.collect import Outcome
from speechbrain_petl.experiments.reporting.statistics import Summary, summarize

PAPER = Path(__file__).parent / "paper.csv"
NO_FIGURE: tuple[None, str] = (None, "")
NOTES = Path(__file__).parent / "notes.csv"


class Row(NamedTuple):
    """A variant on a corpus.

    Arguments
    ---------
    variant, corpus : str
        Which.
    title : str
        Name of the corpus, as the heading of a column.
    shots : int or None
        Training clips of each class; None for all.
    summary : Summary or None
        What was found; None if no cell is finished.
    expected : int
        Cells of the plan.
    paper : float or None
        The paper's accuracy in %.
    paper_size : str
        The paper's count of trainable parameters, as it prints it.
    excerpt : bool
        Whether a run tested fewer clips than the corpus has.
    """

    variant: str
    corpus: str
    title: str
    shots: int | None
    summary: Summary | None
    expected: int
    paper: float | None
    paper_size: str = ""
    excerpt: bool = False

    @property
    def heading(self) -> str:
        """Returns the heading of the row's column in the overview."""
        return self.title + (
            "" if self.shots is None else f", {self.shots} shots"
        )

    @property
    def difference(self) -> float | None:
        """Returns ours minus the paper's, in points; None if not comparable."""
        if self.summary is None or self.paper is None or self.excerpt:
            return None
        return self.summary.mean - self.paper


Key = tuple[str, str, str]


def papers_figures(table: str | None) -> dict[Key, tuple[float, str]]:
    """Reads the figures of a table of the paper.

    Arguments
    ---------
    table : str or None
        Which, such as ``table1``.

    Returns
    -------
    dict
        By variant, corpus and shots: accuracy in %, and trainable parameters
        as the paper prints them, where it does.
    """
    with open(PAPER, encoding="utf-8", newline="") as file:
        return {
            (row["variant"], row["corpus"], row["shots"]): (
                float(row["accuracy"]),
                row["trainable"],
            )
            for row in csv.DictReader(file)
            if row["table"] == table
        }


def footnotes(outcome: Outcome) -> list[str]:
    """Returns what a reader has to know to compare with the paper's figures.

    Arguments
    ---------
    outcome : Outcome
        As ``collect`` reads it.

    Returns
    -------
    list of str
        A sentence for each variant of which there is something to know.
    """
    plan = outcome.plan
    with open(NOTES, encoding="utf-8", newline="") as file:
        return [
            f"{row['variant']}: {row['note']}."
            for row in csv.DictReader(file)
            if row["table"] == plan["paper"]
            and row["variant"] in plan["variants"]
        ]


def make_rows(outcome: Outcome) -> list[Row]:
    """Summarizes the results of a plan.

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
    excerpts = outcome.excerpts()
    rows = []
    for variant in outcome.plan["variants"]:
        for corpus in outcome.plan["corpora"]:
            group = outcome.group(variant=variant, corpus=corpus)
            # The paper's figures are accuracies, and compare with nothing else.
            comparable = outcome.metric(corpus).name == "accuracy"
            for shots in dict.fromkeys(r.cell["shots"] for r in group):
                here = [r for r in group if r.cell["shots"] == shots]
                key = (variant, corpus, "" if shots is None else str(shots))
                rows.append(
                    Row(
                        variant,
                        corpus,
                        outcome.title(corpus),
                        shots,
                        summarize(here),
                        len(here),
                        *(
                            paper.get(key, NO_FIGURE)
                            if comparable
                            else NO_FIGURE
                        ),
                        corpus in excerpts,
                    )
                )
    return rows
