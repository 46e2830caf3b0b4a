"""Which folds of a corpus train, validate and test."""

from collections.abc import Iterable, Mapping

from speechbrain_petl.dataio.manifests import Clip
from speechbrain_petl.dataio.protocols import PROTOCOLS, Folds

from speechbrain.utils.logger import get_logger

logger = get_logger(__name__)


def choose_folds(
    test_fold: int,
    n_folds: int,
    available: Iterable[int],
    train_folds: Folds | None = None,
    valid_folds: Folds | None = None,
    test_folds: Folds | None = None,
    protocol: str = "rotate",
) -> dict[str, Folds]:
    """Decides which folds make up each split, and checks them.

    Arguments
    ---------
    test_fold : int
        The fold to test on, unless the three lists are given.
    n_folds : int
        How many folds the whole corpus has.
    available : iterable of int
        The folds that the corpus on the disk has.
    train_folds, valid_folds, test_folds : list of int, optional
        Explicit lists. They win over ``test_fold``; give all three or none.
    protocol : str
        A key of ``PROTOCOLS``. Only ``paper`` may go without validation.

    Returns
    -------
    dict of str to list of int
        The folds of ``train``, ``valid`` and ``test``.

    Raises
    ------
    ValueError
        If the protocol is unknown, only some of the lists are given, or
        ``check_folds`` refuses the folds.

    Example
    -------
    >>> choose_folds(3, n_folds=5, available=range(1, 6))
    {'train': [1, 4, 5], 'valid': [2], 'test': [3]}
    """
    if protocol not in PROTOCOLS:
        raise ValueError(
            f"protocol is {protocol!r}: give one of {', '.join(PROTOCOLS)}."
        )
    lists = (train_folds, valid_folds, test_folds)
    if all(folds is None for folds in lists):
        lists = PROTOCOLS[protocol](test_fold, n_folds)
    elif any(folds is None for folds in lists):
        raise ValueError(
            "train_folds, valid_folds and test_folds go together: give all "
            "three, or none of them and a test_fold."
        )
    for name, folds in zip(("train", "valid", "test"), lists):
        if not isinstance(folds, (list, tuple)):
            raise ValueError(
                f"{name}_folds is {folds!r}: give a list, such as [1, 2]."
            )
    lists = check_folds(
        *lists, available, n_folds, validation_required=protocol != "paper"
    )
    return dict(zip(("train", "valid", "test"), lists))


def split_by_fold(
    clips: Iterable[Clip], folds: Mapping[str, Folds]
) -> dict[str, list[Clip]]:
    """Puts clips that know their fold, as ``extra["fold"]``, into splits.

    Arguments
    ---------
    clips : iterable of Clip
        All the clips of the corpus.
    folds : dict of str to list of int
        The folds of each split, as from ``choose_folds``.

    Returns
    -------
    dict of str to list of Clip

    Example
    -------
    >>> clips = [Clip(f"{i}", f"{i}.wav", "dog", {"fold": i}) for i in (1, 2)]
    >>> split_by_fold(clips, {"train": [2], "test": [1]})["test"][0].path
    '1.wav'
    """
    clips = list(clips)
    return {
        name: [clip for clip in clips if clip.extra["fold"] in chosen]
        for name, chosen in folds.items()
    }


def check_folds(
    train: Folds,
    valid: Folds,
    test: Folds,
    available: Iterable[int],
    n_folds: int,
    validation_required: bool = True,
) -> tuple[Folds, Folds, Folds]:
    """Refuses folds that overlap, do not exist, are missing or are empty.

    Training folds that the corpus on the disk lacks are left out with a
    warning, so that an excerpt of a corpus can be worked with.

    Arguments
    ---------
    train, valid, test : list of int
        The folds of each split.
    available : iterable of int
        The folds that the corpus on the disk has.
    n_folds : int
        How many folds the whole corpus has.
    validation_required : bool
        Whether an empty ``valid`` is an error.

    Returns
    -------
    train, valid, test : list of int
        Sorted; ``train`` without the missing folds.

    Raises
    ------
    ValueError
        With one sentence that names the fold and what to do.

    Example
    -------
    >>> check_folds([1, 2], [3], [4], available=[1, 2, 3, 4], n_folds=5)
    ([1, 2], [3], [4])
    >>> check_folds([1, 2], [2], [4], available=[1, 2, 3, 4], n_folds=5)
    Traceback (most recent call last):
    ...
    ValueError: Fold 2 is in both train and valid: take it out of one of them.
    """
    splits = {"train": train, "valid": valid, "test": test}
    owner = {}
    for name, folds in splits.items():
        if not folds and (name != "valid" or validation_required):
            raise ValueError(
                f"The list of {name} folds is empty: give at least one fold."
            )
        for fold in folds:
            if fold not in range(1, n_folds + 1):
                raise ValueError(
                    f"Fold {fold!r} of {name} does not exist: the folds of "
                    f"this corpus are 1 to {n_folds}."
                )
            if owner.setdefault(fold, name) != name:
                raise ValueError(
                    f"Fold {fold} is in both {owner[fold]} and {name}: take "
                    "it out of one of them."
                )

    present = sorted(set(available))
    for name in ("valid", "test"):
        for fold in splits[name]:
            if fold not in present:
                raise ValueError(
                    f"Fold {fold}, wanted for {name}, is not in this corpus, "
                    f"which has the folds {present}: choose another test "
                    "fold, or give all three fold lists."
                )
    missing = sorted(set(train) - set(present))
    train = sorted(set(train) - set(missing))
    if not train:
        raise ValueError(
            f"No fold is left to train on: {missing} are wanted, but this "
            f"corpus has the folds {present}."
        )
    if missing:
        logger.warning(
            f"The folds {missing} are not in this corpus; training on "
            f"{train} only."
        )
    return train, sorted(set(valid)), sorted(set(test))
