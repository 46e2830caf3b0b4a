"""The line that a finished run ends with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechbrain_petl.utils.metric import metric_of

#: ``epoch_chosen_by`` of a run whose epochs were not validated.
LAST = "nothing: the last epoch"


def summary(results: Mapping[str, Any], output: Path) -> str:
    """Returns what a run found and where it is.

    Arguments
    ---------
    results : mapping
        Content of ``results.json``.
    output : Path
        Output folder of the run.

    Returns
    -------
    str

    Example
    -------
    >>> print(
    ...     summary(
    ...         {"accuracy": 0.5, "n_correct": 4, "n_test": 8, "best_epoch": 3},
    ...         Path("results"),
    ...     )
    ... )
    Test accuracy 50.00 % (4 of 8 clips) at epoch 3. Results: results/results.json. Artefact: results/artefact.
    """
    metric = metric_of(results)
    clips = f"{results['n_test']:,} clips"
    if metric.name == "accuracy" and "n_correct" in results:
        clips = f"{results['n_correct']:,} of {clips}"
    epoch = f"at epoch {results['best_epoch']}"
    if results.get("epoch_chosen_by") == LAST:
        epoch += ", the last, as none was validated"
    return (
        f"Test {metric.name} {metric.text(results[metric.name])} ({clips}) "
        f"{epoch}. Results: "
        f"{output / 'results.json'}. Artefact: {output / 'artefact'}."
    )
