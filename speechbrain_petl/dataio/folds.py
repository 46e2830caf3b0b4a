"""Which folds of a corpus train, validate and test."""

from collections.abc import Iterable, Mapping, Sequence

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
    protocols: Sequence[str] = ("rotate", "paper"),
) -> dict[str, Folds]:
    """Chooses the folds of each split, and checks them.

    Arguments
    ---------
    test_fold : int
        Fold to test on, unless the three lists are given.
    n_folds : int
        Number of folds of the whole corpus.
    available : iterable of int
        Folds of the corpus on disk.
    train_folds, valid_folds, test_folds : list of int, optional
        Explicit lists, which take precedence over ``test_fold``: all three or
        none.
    protocol : str
        One of ``protocols``. No validation fold is allowed only where it has
        none.
    protocols : sequence of str
        The keys of ``PROTOCOLS`` that the corpus has.

    Returns
    -------
    dict of str to list of int
        Folds of ``train``, ``valid`` and ``test``.

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
    if protocol not in protocols:
        raise ValueError(
            f"protocol is {protocol!r}: give one of {', '.join(protocols)}."
        )
    share_out = PROTOCOLS[protocol]
    given = [f for f in (train_folds, valid_folds, test_folds) if f is not None]
    if not given:
        given = list(share_out(test_fold, n_folds))
    if len(given) < 3:
        raise ValueError(
            "train_folds, valid_folds and test_folds go together: give all "
            "three, or none of them and a test_fold."
        )
    for name, folds in zip(("train", "valid", "test"), given):
        if not isinstance(folds, (list, tuple)):
            raise ValueError(
                f"{name}_folds is {folds!r}: give a list, such as [1, 2]."
            )
    train, valid, test = check_folds(
        given[0],
        given[1],
        given[2],
        available,
        n_folds,
        validation_required=bool(share_out(1, n_folds)[1]),
    )
    return {"train": train, "valid": valid, "test": test}


def split_by_fold(
    clips: Iterable[Clip], folds: Mapping[str, Folds]
) -> dict[str, list[Clip]]:
    """Assigns clips to splits by their fold, ``extra["fold"]``.

    Arguments
    ---------
    clips : iterable of Clip
        Clips of the corpus.
    folds : dict of str to list of int
        Folds of each split, as from ``choose_folds``.

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
    """Refuses splits that overlap, are empty or have folds that do not exist.

    Training folds that the corpus on disk lacks are left out with a warning,
    so that an excerpt of a corpus can be used.

    Arguments
    ---------
    train, valid, test : list of int
        Folds of each split.
    available : iterable of int
        Folds of the corpus on disk.
    n_folds : int
        Number of folds of the whole corpus.
    validation_required : bool
        If True, an empty ``valid`` is an error.

    Returns
    -------
    train, valid, test : list of int
        Sorted lists; ``train`` is without the missing folds.

    Raises
    ------
    ValueError
        Naming the fold and what to do.

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
    owner: dict[int, str] = {}
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
