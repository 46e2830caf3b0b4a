"""Which metric a run is reported by, and how its values read."""

from collections.abc import Mapping
from typing import Any, NamedTuple

DIRECTIONS = {"max": "higher is better", "min": "lower is better"}


class Metric(NamedTuple):
    """A metric: the one that selected the epoch of a run.

    Arguments
    ---------
    name : str
        Key of ``results.json``; ``valid_<name>`` is that of the validation.
    direction : str
        ``max`` if more is better, else ``min``.

    Example
    -------
    >>> Metric().text(0.915), Metric().gap(-1.5)
    ('91.50 %', '-1.50 points')
    >>> loss = Metric("loss", "min")
    >>> loss.text(0.915), loss.gap(-1.5)
    ('0.9150', '-1.5000 of loss, lower is better')
    >>> loss.phrase
    'loss, lower is better'
    """

    name: str = "accuracy"
    direction: str = "max"

    @property
    def sign(self) -> int:
        """Returns what makes more better if a value is multiplied by it."""
        return 1 if self.direction == "max" else -1

    @property
    def in_percent(self) -> bool:
        """Returns True if it is told in %, as accuracies are."""
        return self.name.endswith("accuracy")

    @property
    def scale(self) -> int:
        """Returns what a value is multiplied by to be told."""
        return 100 if self.in_percent else 1

    @property
    def decimals(self) -> int:
        """Returns how many decimals of a told value are shown."""
        return 2 if self.in_percent else 4

    @property
    def words(self) -> str:
        """Returns its name as a sentence has it."""
        return self.name.replace("_", " ")

    @property
    def label(self) -> str:
        """Returns the label of an axis."""
        return self.words + (", %" if self.in_percent else "")

    @property
    def phrase(self) -> str:
        """Returns what a sentence says of it."""
        if self.in_percent:
            return f"{self.words} in %"
        return f"{self.words}, {DIRECTIONS[self.direction]}"

    def text(self, value: float) -> str:
        """Returns a value of ``results.json`` as text."""
        unit = " %" if self.in_percent else ""
        return f"{self.scale * value:.{self.decimals}f}{unit}"

    def gap(self, told: float) -> str:
        """Returns a difference of two told values as text."""
        unit = "points" if self.in_percent else f"of {self.phrase}"
        return f"{told:+.{self.decimals}f} {unit}"


def metric_of(facts: Mapping[str, Any]) -> Metric:
    """Returns the metric that a run was selected by.

    Arguments
    ---------
    facts : mapping
        With ``selects`` and ``direction``, as ``results.json`` has them; those
        of older versions lack them and are of accuracy.

    Returns
    -------
    Metric

    Raises
    ------
    ValueError
        If they are no text, or no direction.

    Example
    -------
    >>> metric_of({"selects": "loss", "direction": "min", "loss": 0.5})
    Metric(name='loss', direction='min')
    >>> metric_of({"accuracy": 0.5})
    Metric(name='accuracy', direction='max')
    """
    name = facts.get("selects", "accuracy")
    direction = facts.get("direction", "max")
    if not isinstance(name, str) or direction not in ("max", "min"):
        raise ValueError(
            "selects is the name of a metric and direction max or min, not "
            f"{name!r} and {direction!r}."
        )
    return Metric(name, direction)
