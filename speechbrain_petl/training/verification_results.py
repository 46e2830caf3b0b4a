"""What a run of speaker verification leaves: results.json, scores.csv, a curve."""

import csv
import io
import json
import os
from collections.abc import Sequence
from importlib.util import find_spec
from typing import NamedTuple

import torch
from speechbrain_petl.dataio.trials import Trial
from speechbrain_petl.training.metrics.verification import (
    equal_error_rate,
    error_rates,
    min_dcf,
)
from speechbrain_petl.training.results import logger, plain
from speechbrain_petl.utils.files import write_file
from speechbrain_petl.utils.versions import versions


class Scored(NamedTuple):
    """Trials and their scores.

    Arguments
    ---------
    trials : sequence of Trial
        The trials.
    targets : torch.Tensor
        True [trials] for two utterances of one speaker.
    first, second : torch.Tensor
        Rows of the utterances [trials].
    scores : torch.Tensor
        Scores [trials]; more is more alike.

    Example
    -------
    >>> trials = [Trial(True, "a", "b"), Trial(False, "a", "c")]
    >>> rows = torch.tensor([0, 0]), torch.tensor([1, 2])
    >>> targets, scores = torch.tensor([True, False]), torch.tensor([0.9, 0.1])
    >>> scored = Scored(trials, targets, *rows, scores)
    >>> scored.metrics()["eer"], scored.errors_at(0.5)
    (0.0, (0.0, 0.0))
    """

    trials: Sequence[Trial]
    targets: torch.Tensor
    first: torch.Tensor
    second: torch.Tensor
    scores: torch.Tensor

    def sides(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns the scores of target trials, and of the others."""
        return self.scores[self.targets], self.scores[~self.targets]

    def metrics(self) -> dict[str, float]:
        """Returns EER, and minDCF at a prior of 0.01 of a target trial."""
        return {
            "eer": equal_error_rate(*self.sides())[0],
            "min_dcf": min_dcf(*self.sides())[0],
            "min_dcf_miss_10": min_dcf(*self.sides(), c_miss=10)[0],
            "min_dcf_unnormalized": min_dcf(*self.sides(), normalize=False)[0],
        }

    def equal_error_threshold(self) -> float:
        """Returns the threshold where both errors are closest.

        It lies midway between the highest score that is refused and the
        lowest that is accepted, so that rounding decides nothing.
        """
        _, highest = equal_error_rate(*self.sides())
        scores = self.scores.double()
        above = scores[scores > highest]
        if not len(above):
            return highest
        lowest = above.min().item()
        if highest == -torch.inf:
            return lowest - 1
        return (highest + lowest) / 2

    def errors_at(self, threshold: float) -> tuple[float, float]:
        """Returns the miss rate and the false alarm rate at a threshold."""
        positive, negative = self.sides()
        missed = (positive <= threshold).double().mean().item()
        return missed, (negative > threshold).double().mean().item()


def write_verification(
    folder: str, scored: Scored, facts: dict, hparams: dict
) -> None:
    """Writes the results of a run, each file whole or not at all.

    Arguments
    ---------
    folder : str
        The run's output folder.
    scored : Scored
        The test's trials.
    facts : dict
        What else goes into ``results.json``.
    hparams : dict
        What ran, of which the plain values are recorded.
    """
    summary = {
        **scored.metrics(),
        "n_test": len(scored.trials),
        "n_target": int(scored.targets.sum()),
        **facts,
        "seed": hparams.get("seed"),
        "fold": None,
        "folds": None,
        "versions": versions(),
        "hyperparameters": plain(hparams),
    }
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    writer.writerow(["target", "first", "second", "score"])
    for trial, score in zip(scored.trials, scored.scores.tolist(), strict=True):
        writer.writerow(
            [int(trial.target), trial.first, trial.second, f"{score:.6f}"]
        )
    write_file(os.path.join(folder, "scores.csv"), rows.getvalue())
    if find_spec("matplotlib") is None:
        logger.info(
            "Without matplotlib there is no det_curve.png. pip install "
            "'speechbrain-petl[experiments]' brings it."
        )
    else:
        picture = io.BytesIO()
        draw_errors(scored).savefig(picture, format="png", dpi=150)
        write_file(os.path.join(folder, "det_curve.png"), picture.getvalue())
    write_file(
        os.path.join(folder, "results.json"),
        json.dumps(summary, indent=2, allow_nan=False),
    )


def draw_errors(scored: Scored):
    """Draws the misses over the false alarms, at all thresholds.

    Arguments
    ---------
    scored : Scored
        Trials and their scores.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure  # slow to import

    rates = error_rates(*scored.sides())
    figure = Figure(figsize=(4, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(100 * rates.false_alarm, 100 * rates.miss, color="black")
    axes.plot([0, 100], [0, 100], color="gray", linestyle=":")
    axes.set_xlabel("false alarms, %")
    axes.set_ylabel("misses, %")
    eer = scored.metrics()["eer"]
    axes.set_title(f"EER {100 * eer:.2f} %, {len(scored.trials):,} trials")
    limit = min(100.0, max(5.0, 250 * eer))
    axes.set_xlim(0, limit)
    axes.set_ylim(0, limit)
    return figure
