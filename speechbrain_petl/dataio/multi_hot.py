"""Clips with several labels: from names to a vector of zeros and ones."""

from collections.abc import Iterable

import torch
from speechbrain_petl.dataio.labels import index_of

from speechbrain.dataio.encoder import CategoricalEncoder


def multi_hot(
    labels: Iterable[str], label_encoder: CategoricalEncoder
) -> torch.Tensor:
    """Turns a clip's labels into a target for binary cross entropy.

    Arguments
    ---------
    labels : iterable of str
        The labels, as a manifest lists them; none is allowed.
    label_encoder : CategoricalEncoder
        The corpus's label map.

    Returns
    -------
    torch.Tensor
        1 where the clip has the class, 0 elsewhere [classes].

    Raises
    ------
    ValueError
        If the label map lacks a label.

    Example
    -------
    >>> encoder = CategoricalEncoder()
    >>> encoder.update_from_iterable(["Bark", "Dog", "Siren"])
    >>> encoder.expect_len(3)
    >>> multi_hot(["Dog", "Bark"], encoder)
    tensor([1., 1., 0.])
    """
    target = torch.zeros(len(label_encoder))
    for label in labels:
        target[index_of(label, label_encoder)] = 1.0
    return target
