"""What a recipe's YAML says of stored states."""

from typing import Any, NamedTuple

import torch

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class Options(NamedTuple):
    """The options of stored states, checked.

    Arguments
    ---------
    precision : str, optional
        ``stored_states``: ``fp32``, ``bf16``, or None for none.
    draws : int, optional
        ``stored_draws``: augmented versions of a training clip; None for no
        storing of what is augmented.
    max_gb : float
        ``states_gb``: size limit of the cache.
    """

    precision: str | None = None
    draws: int | None = None
    max_gb: float = 0.0

    @classmethod
    def of(cls, precision: Any, draws: Any, max_gb: Any) -> "Options":
        """Checks the hyperparameters.

        Raises
        ------
        ValueError
            If a value is none, or one has no effect without another.

        Example
        -------
        >>> Options.of(None, 4, 10)
        Traceback (most recent call last):
        ...
        ValueError: stored_draws is 4, but stored_states is null, so that ...
        """
        if precision is not None and precision not in DTYPES:
            raise ValueError(
                f"stored_states is null, fp32 or bf16, not '{precision}'."
            )
        if draws is not None and (type(draws) is not int or draws < 1):
            raise ValueError(
                f"stored_draws is {draws!r}: give null, or how many augmented "
                "versions of each training clip to store."
            )
        if draws is not None and precision is None:
            raise ValueError(
                f"stored_draws is {draws}, but stored_states is null, so that "
                "nothing is stored: give fp32 or bf16."
            )
        if isinstance(max_gb, bool) or not max_gb >= 0:
            raise ValueError(f"states_gb is {max_gb!r}: give 0 or more.")
        return cls(precision, draws, float(max_gb))
