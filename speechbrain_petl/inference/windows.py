"""Windows of long clips in inference: how many at once, and their check."""

import torch

WINDOWS_AT_ONCE = 16


def check_finite(outputs: torch.Tensor, name: str) -> None:
    """Refuses outputs of which any is NaN or infinite.

    Samples of 1e20, say, are finite, but their power is not.

    Arguments
    ---------
    outputs : torch.Tensor
        Embeddings or log posteriors of any shape.
    name : str
        What they are of, for the message.

    Raises
    ------
    ValueError
        If one is not finite.

    Example
    -------
    >>> check_finite(torch.tensor([0.0, float("nan")]), "'a.wav'")
    Traceback (most recent call last):
    ...
    ValueError: The model's output for 'a.wav' is not finite: ...
    """
    if not outputs.isfinite().all():
        raise ValueError(
            f"The model's output for {name} is not finite: its samples are too "
            "large or not finite themselves; scale them to between -1 and 1."
        )


def check_rows(outputs: torch.Tensor) -> None:
    """Like ``check_finite``, for the clips of a batch [B, n]."""
    finite = outputs.isfinite().all(dim=1)
    if not finite.all():
        row = int(finite.int().argmin())
        check_finite(outputs[row], f"clip {row} of the batch")
