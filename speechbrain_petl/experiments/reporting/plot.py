"""Draws a plan's results; every figure as PNG and as SVG."""

import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from statistics import mean

import torch
from matplotlib.figure import Figure
from speechbrain_petl.experiments.reporting.best import ranked
from speechbrain_petl.experiments.reporting.collect import Outcome, Result
from speechbrain_petl.experiments.reporting.figures.accuracy import (
    Point,
    against_parameters,
    against_shots,
)
from speechbrain_petl.experiments.reporting.figures.experts import (
    draw_shares,
    expert_shares,
)
from speechbrain_petl.experiments.reporting.figures.ranking import draw_ranking
from speechbrain_petl.experiments.reporting.figures.style import write_figure
from speechbrain_petl.experiments.reporting.figures.tokens import (
    draw_embeddings,
    embed,
    flatten,
)
from speechbrain_petl.experiments.reporting.figures.training import (
    read_log,
    training_curves,
)
from speechbrain_petl.experiments.reporting.rows import make_rows
from speechbrain_petl.training.results import draw_confusion
from speechbrain_petl.training.tag_results import draw_average_precision

Figures = Iterator[tuple[str, Figure]]
FEWEST = 50  # test clips that a t-SNE shows something of


def line_of(label: str) -> str:
    """Returns the line of a variant: its label up to the last "-".

    Example
    -------
    >>> line_of("lora-rr64"), line_of("full_ft")
    ('lora', 'full_ft')
    """
    return label.rpartition("-")[0] or label


def draw_parameters(outcome: Outcome) -> Figures:
    """Draws the metric against trainable parameters, one figure per corpus."""
    for corpus in outcome.plan["corpora"]:
        lines: dict[str, list[Point]] = {}
        for row in make_rows(outcome):
            s = row.summary
            if row.corpus == corpus and row.shots is None and s:
                count = s.trainable["method"] + s.trainable["norm"]
                point = Point(count, s.mean, s.deviation or 0.0)
                lines.setdefault(line_of(row.variant), []).append(point)
        if lines:
            title = _title(outcome, corpus, "mean over folds and seeds")
            yield (
                f"parameters_{corpus}",
                against_parameters(lines, title, outcome.metric(corpus)),
            )


def draw_rankings(outcome: Outcome) -> Figures:
    """Draws all variants from the best to the last, one figure per corpus."""
    for corpus in outcome.plan["corpora"]:
        here = [
            row
            for row in make_rows(outcome)
            if row.corpus == corpus and row.shots is None
        ]
        found = ranked(here)
        if len(found) > 1:
            title = _title(outcome, corpus, "mean over folds and seeds")
            yield (
                f"ranking_{corpus}",
                draw_ranking(found, title, outcome.metric(corpus)),
            )


def draw_few_shot(outcome: Outcome) -> Figures:
    """Draws the metric against clips of each class, one figure per corpus."""
    for corpus in outcome.plan["corpora"]:
        lines: dict[str, list[Point]] = {}
        for row in make_rows(outcome):
            s = row.summary
            if row.corpus == corpus and row.shots is not None and s:
                point = Point(row.shots, s.mean, s.deviation or 0.0)
                lines.setdefault(row.variant, []).append(point)
        if lines:
            title = _title(outcome, corpus, "mean over folds and draws")
            yield (
                f"few_shot_{corpus}",
                against_shots(lines, title, outcome.metric(corpus)),
            )


def draw_training(outcome: Outcome) -> Figures:
    """Draws losses and the metric of each variant, one line per cell."""
    for corpus, variant, cells in _variants(outcome):
        logs = {
            _short(result.cell): read_log(result.folder / "train_log.txt")
            for result in cells[:8]
        }
        title = _title(outcome, corpus, variant)
        yield (
            f"training_{corpus}_{variant}",
            training_curves(logs, title, outcome.metric(corpus)),
        )


def draw_confusions(outcome: Outcome) -> Figures:
    """Draws the confusion matrix of each variant over all its cells.

    Where a clip has one label: a run says so by recording one.
    """
    for corpus, variant, cells in _variants(outcome):
        if "confusion" not in cells[0].results:
            continue
        labels = cells[0].results["labels"]
        same = [r for r in cells if r.results["labels"] == labels]
        total = sum(torch.tensor(r.results["confusion"]) for r in same)
        figure = draw_confusion(total, labels)
        clips = int(total.sum())
        figure.suptitle(
            _title(outcome, corpus, f"{variant}, {clips} test clips"),
            fontsize=10,
        )
        yield f"confusion_{corpus}_{variant}", figure


def draw_precisions(outcome: Outcome) -> Figures:
    """Draws the mean AP of each class over a variant's cells, for taggers."""
    for corpus, variant, cells in _variants(outcome):
        if "ap" not in cells[0].results:
            continue
        labels = cells[0].results["labels"]
        same = [r.results for r in cells if r.results["labels"] == labels]
        means = []
        for label in labels:
            there = [r["ap"][label] for r in same if r["ap"][label] is not None]
            means.append(mean(there) if there else None)
        figure = draw_average_precision(
            means, labels, mean(r["mAP"] for r in same)
        )
        figure.suptitle(_title(outcome, corpus, variant), fontsize=10)
        yield f"precision_{corpus}_{variant}", figure


def draw_tokens(outcome: Outcome) -> Figures:
    """t-SNE of [CLS] and of the pooled embedding, a panel a variant.

    Of a corpus whose runs tested fewer than ``FEWEST`` clips there is none:
    its groups would be an accident.
    """
    for corpus in outcome.plan["corpora"]:
        tested = [
            cells[0].results["n_test"]
            for *_, cells in _variants(outcome, corpus)
        ]
        if tested and min(tested) < FEWEST:
            print(
                f"no t-SNE of {outcome.title(corpus)}: it takes {FEWEST} test "
                f"clips, and a run has {min(tested)}",
                file=sys.stderr,
            )
            continue
        panels: dict[str, dict] = {"cls": {}, "pooled": {}}
        for _, variant, cells in _variants(outcome, corpus):
            data = outcome.plan["data_folders"][corpus]
            found = embed(cells[0].folder, data)
            for kind, here in panels.items():
                points = flatten(getattr(found, kind))
                here[variant] = (found.labels, points)
        names = {"cls": "[CLS] after the last layer", "pooled": "embedding"}
        for kind, here in panels.items():
            if here:
                title = _title(outcome, corpus, f"t-SNE, {names[kind]}")
                yield f"tsne_{kind}_{corpus}", draw_embeddings(here, title)


def draw_experts(outcome: Outcome) -> Figures:
    """Draws the share of each expert, for variants that are mixtures."""
    for corpus, variant, cells in _variants(outcome):
        data = outcome.plan["data_folders"][corpus]
        try:
            shares = expert_shares(cells[0].folder, data)
        except ValueError as error:
            if "is no mixture" not in str(error):
                raise
            continue
        title = _title(outcome, corpus, variant)
        yield f"experts_{corpus}_{variant}", draw_shares(shares, title)


KINDS: dict[str, Callable[[Outcome], Figures]] = {
    "ranking": draw_rankings,
    "parameters": draw_parameters,
    "few_shot": draw_few_shot,
    "training": draw_training,
    "confusion": draw_confusions,
    "precision": draw_precisions,
    "tsne": draw_tokens,
    "experts": draw_experts,
}


def write_figures(
    outcome: Outcome, folder: Path, kinds: list[str] | None = None
) -> list[Path]:
    """Draws what there is to draw.

    Arguments
    ---------
    outcome : Outcome
        As ``collect`` reads it.
    folder : Path
        Where; created if need be.
    kinds : list of str, optional
        Keys of ``KINDS``; all by default.

    Returns
    -------
    list of Path
        The files.
    """
    files = []
    for kind in kinds or KINDS:
        for name, figure in KINDS[kind](outcome):
            files += write_figure(figure, folder / name)
    return files


def _variants(
    outcome: Outcome, corpus: str | None = None
) -> Iterator[tuple[str, str, list[Result]]]:
    """Yields corpus, variant and its finished cells on all training clips."""
    finished = [
        r
        for r in outcome.results
        if r.results
        and r.cell["shots"] is None
        and corpus in (None, r.cell["corpus"])
    ]
    order = {v: i for i, v in enumerate(outcome.plan["variants"])}

    def place(result):
        """Returns the key that a cell is sorted by."""
        return result.cell["corpus"], order[result.cell["variant"]]

    for _, group in groupby(sorted(finished, key=place), key=place):
        cells = list(group)
        yield cells[0].cell["corpus"], cells[0].cell["variant"], cells


def _short(cell):
    """Returns a short name of a cell among those of its variant."""
    fold = "" if cell["fold"] is None else f"fold {cell['fold']}, "
    return f"{fold}seed {cell['seed']}"


def _title(outcome, corpus, what):
    """Returns the title of a figure, which says if it is of an excerpt."""
    excerpt = " (excerpt)" if corpus in outcome.excerpts() else ""
    return f"{outcome.title(corpus)}{excerpt}: {what}"
