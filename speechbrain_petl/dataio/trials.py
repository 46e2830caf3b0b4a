"""Trials of speaker verification: lists of pairs of utterances."""

import csv
from collections.abc import Collection, Iterable, Mapping
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from speechbrain_petl.dataio.metadata import read_table
from speechbrain_petl.utils.files import replacing
from speechbrain_petl.utils.messages import name_some

from speechbrain.utils.logger import get_logger

logger = get_logger(__name__)

COLUMNS = ("target", "first", "second")


class Trial(NamedTuple):
    """A pair of utterances.

    Arguments
    ---------
    target : bool
        If True, both are of the same speaker.
    first, second : str
        The utterances: files of a corpus's list, ids of a manifest's.
    """

    target: bool
    first: str
    second: str


def read_voxceleb_list(file: str | Path) -> list[Trial]:
    """Reads a list as VoxCeleb has them: ``1 <file> <file>``, or 0.

    Arguments
    ---------
    file : str or Path
        The list, such as ``veri_test.txt``.

    Returns
    -------
    list of Trial
        In the order of the file.

    Raises
    ------
    ValueError
        If a line is malformed, or trials of one kind are missing.

    Example
    -------
    >>> file = getfixture("tmp_path") / "veri_test.txt"
    >>> _ = file.write_text("1 a/x/1.wav a/y/1.wav\\n0 a/x/1.wav b/z/1.wav\\n")
    >>> read_voxceleb_list(file)[1]
    Trial(target=False, first='a/x/1.wav', second='b/z/1.wav')
    """
    trials = []
    known: dict[str, str] = {}  # one string a file, not one a trial
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{file} is not text in UTF-8 ({error}); restore the original file."
        ) from error
    for number, line in enumerate(lines, start=1):
        cells = line.split()
        if not cells:
            continue
        if len(cells) != 3 or cells[0] not in ("0", "1"):
            raise ValueError(
                f"{file}, line {number}: {line[:80]!r} is no trial, which is 0 "
                "or 1 and two audio files; restore the original file."
            )
        first, second = (known.setdefault(name, name) for name in cells[1:])
        trials.append(Trial(cells[0] == "1", first, second))
    return _both_kinds(trials, file)


def write_trials(file: str | Path, trials: Iterable[Trial]) -> None:
    """Writes trials as a table that ``read_trials`` reads.

    Arguments
    ---------
    file : str or Path
        The CSV file; written whole or not at all.
    trials : iterable of Trial
        The trials, of ids of a manifest.
    """
    with replacing(Path(file)) as temporary:
        with open(temporary, "w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows((int(t), a, b) for t, a, b in trials)


def read_trials(file: str | Path) -> list[Trial]:
    """Reads trials that ``write_trials`` wrote.

    Raises
    ------
    ValueError
        If the table is malformed, or trials of one kind are missing.

    Example
    -------
    >>> file = getfixture("tmp_path") / "trials.csv"
    >>> write_trials(file, [Trial(True, "a", "b"), Trial(False, "a", "c")])
    >>> read_trials(file)[0]
    Trial(target=True, first='a', second='b')
    """
    rows = read_table(file, COLUMNS)
    return _both_kinds(
        [
            Trial(row.integer("target", range(2)) == 1, row[one], row[other])
            for row in rows
            for one, other in [COLUMNS[1:]]
        ],
        file,
    )


def load_trials(file: str | Path, ids: Collection[str]) -> list[Trial]:
    """Reads the trials of a split, and refuses those of absent utterances.

    Arguments
    ---------
    file : str or Path
        Trials as ``write_trials`` writes them.
    ids : collection of str
        The utterances of the split's manifest.

    Returns
    -------
    list of Trial

    Raises
    ------
    ValueError
        If there is no such file, it is malformed, or a trial names an
        utterance that the manifest lacks.

    Example
    -------
    >>> file = getfixture("tmp_path") / "trials.csv"
    >>> write_trials(file, [Trial(True, "a", "b"), Trial(False, "a", "c")])
    >>> load_trials(file, ["a", "b"])
    Traceback (most recent call last):
    ...
    ValueError: ... names utterances that its manifest lacks, c: ...
    """
    if not Path(file).is_file():
        raise ValueError(
            f"There is no list of trials {file}: the data preparation writes "
            "it."
        )
    trials = read_trials(file)
    known = set(ids)
    absent = {name for t in trials for name in t[1:] if name not in known}
    if absent:
        raise ValueError(
            f"{file} names utterances that its manifest lacks, "
            f"{name_some(sorted(absent))}: run the data preparation again."
        )
    return trials


def refuse_shared_speakers(speakers: Mapping[str, Collection[str]]) -> None:
    """Refuses splits that share a speaker.

    Arguments
    ---------
    speakers : mapping of str to collection of str
        Speakers of each split.

    Raises
    ------
    ValueError
        If one is in two splits, naming it.

    Example
    -------
    >>> refuse_shared_speakers({"train": ["ann"], "test": ["ann", "bob"]})
    Traceback (most recent call last):
    ...
    ValueError: The speakers ann are in both train and test: ...
    """
    for (one, mine), (other, theirs) in combinations(speakers.items(), 2):
        shared = sorted(set(mine) & set(theirs))
        if shared:
            raise ValueError(
                f"The speakers {name_some(shared)} are in both {one} and "
                f"{other}: trials are of speakers that no model has heard; "
                "leave them out of one."
            )


def keep_trials(
    trials: Iterable[Trial], ids: Collection[str], split: str
) -> list[Trial]:
    """Leaves out trials of utterances that are left out, with a warning.

    Arguments
    ---------
    trials : iterable of Trial
        The trials, of ids of a manifest.
    ids : collection of str
        The ids that the manifest has.
    split : str
        Name of the split, for the warning.

    Returns
    -------
    list of Trial

    Example
    -------
    >>> keep_trials([Trial(True, "a", "b")], {"a": 1, "b": 2}, "test")
    [Trial(target=True, first='a', second='b')]
    """
    trials = list(trials)
    kept = [t for t in trials if t.first in ids and t.second in ids]
    if len(kept) < len(trials):
        logger.warning(
            f"Going on without {len(trials) - len(kept)} of {len(trials)} "
            f"trials of the {split} split, as their audio is left out."
        )
    return kept


def _both_kinds(trials, file):
    """The trials, if error rates can be computed from them."""
    n_target = sum(trial.target for trial in trials)
    if not 0 < n_target < len(trials):
        raise ValueError(
            f"{file} has {n_target} target trials among {len(trials)}: error "
            "rates need trials of both kinds; restore the original file."
        )
    return trials
