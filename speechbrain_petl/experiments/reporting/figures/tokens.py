"""t-SNE of what a trained model makes of the test clips (Fig. 2)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from speechbrain_petl.artefacts.trained import Trained
from speechbrain_petl.dataio.datasets import read_clip, read_manifest
from speechbrain_petl.experiments.reporting.figures.families import (
    COLORS,
    family_of,
)
from speechbrain_petl.experiments.reporting.figures.model import load_model
from speechbrain_petl.experiments.reporting.figures.style import (
    looks,
    new_figure,
    palette,
)

from speechbrain.dataio.preprocess import AudioNormalizer

N_CLASSES = 10


class Embeddings:
    """Embeddings of clips.

    Arguments
    ---------
    labels : list of str
        The label of each clip, or the first one of several.
    cls : torch.Tensor
        The [CLS] token after the last layer [N, d].
    pooled : torch.Tensor
        What the head reads [N, d].
    """

    def __init__(self, labels: list[str], cls, pooled):
        self.labels, self.cls, self.pooled = labels, cls, pooled


@torch.no_grad()
def embed(
    run: str | Path, data_folder: str, n_classes: int = N_CLASSES
) -> Embeddings:
    """Runs a finished run's model over test clips of its first classes.

    Arguments
    ---------
    run : str or Path
        The run's output folder.
    data_folder : str
        The corpus.
    n_classes : int
        How many classes: the first ones of the label map that the test split
        has, so that the figures of all methods show the same.

    Returns
    -------
    Embeddings
    """
    run = Path(run)
    trained = load_model(run)
    entries = read_manifest(str(run / "manifest" / "test.json"), data_folder)
    named = [(_first(e["label"]), e) for e in entries.values()]
    there = {label for label, _ in named}
    chosen = [label for label in trained.labels if label in there][:n_classes]
    named = [(label, entry) for label, entry in named if label in chosen]
    rows = [_embed_clip(trained, entry) for _, entry in named]
    cls, pooled = (torch.stack(column) for column in zip(*rows))
    return Embeddings([label for label, _ in named], cls, pooled)


def _first(label):
    """Returns a clip's label; of several the first, which is the narrowest."""
    if isinstance(label, list):
        return label[0] if label else None
    return label


def _embed_clip(trained: Trained, entry: dict):
    """Returns the [CLS] and the pooled embedding of a clip."""
    rate = trained.compute_features.sample_rate
    feats = trained.compute_features(
        read_clip(entry, AudioNormalizer(rate))[None]
    )
    tokens = []
    hook = trained.encoder.model.model.register_forward_hook(
        lambda *arguments: tokens.append(arguments[-1].last_hidden_state)
    )
    pooled = trained.encoder(feats)
    hook.remove()
    return tokens[0][0, 0], pooled[0]


def flatten(vectors: torch.Tensor, seed: int = 0) -> np.ndarray:
    """t-SNE of vectors [N, d] in two dimensions [N, 2], the same each time."""
    from sklearn.manifold import TSNE  # slow to import

    perplexity = min(30.0, (len(vectors) - 1) / 3)
    return TSNE(
        perplexity=perplexity, init="pca", random_state=seed
    ).fit_transform(vectors.double().numpy())


def draw_embeddings(
    panels: dict[str, tuple[Sequence[str], np.ndarray]], title: str
) -> Figure:
    """Draws points by class, a panel a method titled in its family's color.

    Arguments
    ---------
    panels : dict of str to (sequence of str, numpy.ndarray)
        By method: labels, and points [N, 2].
    title : str
        Of the figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = min(4, len(panels))
    rows = -(-len(panels) // columns)
    figure = new_figure(2.6 * columns + 1.8, 2.6 * rows + 0.4)
    classes = sorted({x for labels, _ in panels.values() for x in labels})
    styles = dict(zip(classes, looks(len(classes), palette(len(classes)))))
    grid = figure.subplots(rows, columns, squeeze=False).flat
    for axes in list(grid)[len(panels) :]:
        axes.remove()
    for axes, (name, (labels, points)) in zip(figure.axes, panels.items()):
        for label in classes:
            here = points[np.array(labels) == label]
            axes.scatter(
                *here.T,
                label=label,
                s=14,
                marker=styles[label]["marker"],
                color=styles[label]["color"],
                alpha=0.8,
                linewidths=0,
            )
        color = COLORS[family_of(name)]
        axes.set_title(name, fontsize=9, color=color)
        axes.set_xticks([])
        axes.set_yticks([])
    handles, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        handles, names, loc="outside right upper", fontsize=8, frameon=False
    )
    figure.suptitle(title, fontsize=10)
    return figure
