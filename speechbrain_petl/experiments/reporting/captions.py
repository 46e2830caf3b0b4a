"""What the figures of a page show, in words, and which corpus each is of."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

#: By kind, as ``plot`` names files: what is said, and the heading of a group
#: of figures that are one a variant.
CAPTIONS: dict[str, tuple[str, str]] = {
    "ranking": (
        "Test {metric} of all variants, the best first. A dot is the mean over "
        "folds and seeds, its line the standard deviation; colors are families "
        "of methods; in brackets the trained parameters without the head.",
        "",
    ),
    "parameters": (
        "Test {metric} against the number of trained parameters, without the "
        "head; a level line trains none; colors are families of methods.",
        "",
    ),
    "few_shot": (
        "Test {metric} against the number of training clips of each class; "
        "colors are families of methods.",
        "",
    ),
    "tsne_cls": (
        "Test clips of the first fold by the [CLS] token after the last layer, "
        "laid out by t-SNE; near points are alike, far distances say little.",
        "",
    ),
    "tsne_pooled": (
        "Test clips of the first fold by the embedding that the head reads, "
        "laid out by t-SNE.",
        "",
    ),
    "training": (
        "Training of {variant}: losses and validation {metric} by epoch, a "
        "line a run.",
        "Training curves",
    ),
    "confusion": (
        "Confusions of {variant} over all its test clips: rows are the true "
        "classes, columns the predicted ones.",
        "Confusions",
    ),
    "precision": (
        "Average precision of {variant} for each label, mean over its runs.",
        "Average precisions",
    ),
    "experts": (
        "Experts of {variant}: the mean weight of each one, layer by layer.",
        "Weights of experts",
    ),
}


class Told(NamedTuple):
    """A figure of a page.

    Arguments
    ---------
    file : Path
        The drawing.
    corpus : str or None
        What it is of; None if nobody knows.
    caption : str
        What it shows.
    group : str
        Heading of those that are one a variant, which are folded.
    """

    file: Path
    corpus: str | None
    caption: str
    group: str


def tell(
    file: Path,
    corpora: Sequence[str],
    variants: Sequence[str],
    metrics: Mapping[str, Any],
) -> Told:
    """Finds what a figure shows, by the name that ``plot`` gave it.

    Arguments
    ---------
    file : Path
        The drawing.
    corpora, variants : sequence of str
        Those of the plan.
    metrics : mapping of str to Metric
        By corpus.

    Returns
    -------
    Told

    Example
    -------
    >>> from speechbrain_petl.utils.metric import Metric
    >>> told = tell(Path("few_shot_A.svg"), ["A"], [], {"A": Metric()})
    >>> told.corpus, told.caption.partition(";")[0]
    ('A', 'Test accuracy against the number of training clips of each class')
    """
    for kind, (caption, group) in CAPTIONS.items():
        for corpus in corpora:
            found = re.fullmatch(
                rf"{kind}_{re.escape(corpus)}(?:_(.+))?", file.stem
            )
            variant = found[1] if found else None
            if found and (variant in variants if group else variant is None):
                metric = metrics.get(corpus)
                words = {
                    "metric": metric.words if metric else "accuracy",
                    "variant": variant,
                }
                return Told(file, corpus, caption.format(**words), group)
    return Told(file, None, file.stem.replace("_", " "), "")
