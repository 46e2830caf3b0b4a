"""Training curves, from the log of a run."""

import re
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from matplotlib.figure import Figure
from speechbrain_petl.experiments.reporting.figures.style import (
    legend_beside,
    looks,
    new_figure,
)
from speechbrain_petl.utils.metric import Metric

NUMBER = r"([-+.\deE]+|nan|inf)"


def read_log(file: str | Path) -> dict[str, list[float]]:
    """Reads the epochs of a ``train_log.txt``.

    Of an epoch that was run twice, since the run was killed between log and
    checkpoint, the later line counts.

    Arguments
    ---------
    file : str or Path
        The log.

    Returns
    -------
    dict of str to list of float
        ``epoch``, ``train loss`` and, where there was a validation split,
        its metrics, such as ``valid loss``, one value an epoch.

    Example
    -------
    >>> file = getfixture("tmp_path") / "train_log.txt"
    >>> line = "epoch: 1, lr: 5.0000e-03 - train loss: 2.1 - valid loss: 1.5"
    >>> _ = file.write_text(f"{line}, valid accuracy: 4.1500e-01\\n")
    >>> read_log(file)["valid accuracy"]
    [0.415]
    """
    epochs = {}
    for line in Path(file).read_text(encoding="utf-8").splitlines():
        found = re.match(r"epoch: (\d+)", line)
        if found:
            epochs[int(found[1])] = {
                name: float(value)
                for name, value in re.findall(
                    rf"((?:train|valid) \w+): {NUMBER}", line
                )
            }
    columns = {"epoch": sorted(epochs)}
    for name in dict.fromkeys(chain.from_iterable(epochs.values())):
        if all(name in values for values in epochs.values()):
            columns[name] = [epochs[epoch][name] for epoch in columns["epoch"]]
    return columns


def training_curves(
    logs: Mapping[str, dict[str, list[float]]],
    title: str,
    metric: Metric = Metric(),
) -> Figure:
    """Draws losses and what selects the epoch over the epochs, a line a run.

    Arguments
    ---------
    logs : dict of str to dict
        By name, as ``read_log`` gives them.
    title : str
        Of the figure.
    metric : Metric
        What selects the epoch.

    Returns
    -------
    matplotlib.figure.Figure
    """
    selects = f"valid {metric.name}"
    panels = list(dict.fromkeys(["train loss", "valid loss", selects]))
    figure = new_figure(10.5, 3.4)
    for axes, panel in zip(figure.subplots(1, len(panels)), panels):
        for (name, log), look in zip(logs.items(), looks(len(logs))):
            if panel in log:
                scale = metric.scale if panel == selects else 1
                axes.plot(
                    log["epoch"],
                    [value * scale for value in log[panel]],
                    label=name,
                    linewidth=1,
                    markersize=3.5,
                    **look,
                )
        label = f"valid {metric.label}" if panel == selects else panel
        axes.set_title(label, fontsize=9)
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        if panel == "train loss":
            legend_beside(figure, axes)
    figure.suptitle(title, fontsize=10)
    return figure
