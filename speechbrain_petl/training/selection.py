"""Which epoch is tested: the best one by a metric that the YAML names."""

from collections.abc import Callable, Mapping

from speechbrain.utils.checkpoints import Checkpoint

SIGNS = {"max": 1, "min": -1}


def check_metric(name: str, metrics: Mapping[str, str]) -> None:
    """Raises an error if a task does not have a metric.

    Arguments
    ---------
    name : str
        Value of ``selects``.
    metrics : mapping of str to str
        Direction of each metric of the task.

    Raises
    ------
    ValueError
        If there is no such metric.
    """
    if name not in metrics:
        raise ValueError(
            f"selects: there is no metric {name!r} of the validation set: "
            f"choose one of {', '.join(metrics)}."
        )


def best_epoch(metric: str, direction: str) -> Callable[[Checkpoint], tuple]:
    """Returns a key that sorts checkpoints by a metric of the validation set.

    A tie goes to the earlier epoch. Without a validation set no epoch is
    selected, and the last one wins.

    Arguments
    ---------
    metric : str
        Name of the metric in the checkpoints' metadata.
    direction : str
        ``max`` if more is better, else ``min``.

    Returns
    -------
    callable
        Key of ``Checkpointer.find_checkpoints``.
    """

    def key(checkpoint: Checkpoint) -> tuple:
        """Returns a larger value for a better checkpoint."""
        meta = checkpoint.meta
        if metric in meta:
            return (1, SIGNS[direction] * meta[metric], -meta["epoch"])
        return (0, 0.0, meta.get("epoch", 0))

    return key
