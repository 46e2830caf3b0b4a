"""Clips with several labels: from names to a vector of zeros and ones."""

from collections.abc import Iterable

import torch
from speechbrain_petl.dataio.labels import index_of
from speechbrain_petl.utils.files import read_json

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


def check_labels(manifest: str, several: bool, loss: str) -> None:
    """Refuses clips with several labels where one is expected, and vice versa.

    Arguments
    ---------
    manifest : str
        Manifest of the training split.
    several : bool
        Whether each clip has a list of labels.
    loss : str
        Name of the loss, see ``lobes.losses``.

    Raises
    ------
    ValueError
        If the manifest is of the other kind, or the loss is for one label.

    Example
    -------
    >>> path = getfixture("tmp_path") / "train.json"
    >>> _ = path.write_text('{"a": {"label": ["Dog", "Bark"]}}')
    >>> check_labels(str(path), True, "bce")
    >>> check_labels(str(path), False, "cross_entropy")
    Traceback (most recent call last):
    ...
    ValueError: The clips of ... have several labels each, or none: give \
--several_labels True --loss bce --selects mAP.
    """
    entries = read_json(manifest).values()
    if any(isinstance(entry["label"], list) for entry in entries) != several:
        raise ValueError(
            f"The clips of {manifest} have one label each: leave "
            "several_labels at False."
            if several
            else f"The clips of {manifest} have several labels each, or none: "
            "give --several_labels True --loss bce --selects mAP."
        )
    if several and loss != "bce":
        raise ValueError(
            f"loss is {loss}, for one label a clip: with several_labels give "
            "--loss bce."
        )
