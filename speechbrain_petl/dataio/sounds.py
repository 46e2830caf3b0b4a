"""A labeled sound of a user's own collection, and what its labels may be."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from speechbrain_petl.utils.messages import name_some

SPLITS = ("train", "valid", "test")
MOST_NUMBERS = 100  # classes that may be named by whole numbers alone
MOST_LINES = 30  # of a list of problems
LONGEST_NAME = 200  # characters of a label
# Unicode's controls of direction, which show "vaw.jpg" as "gpj.wav"
REVERSING = "LRE LRO RLE RLO PDF LRI RLI FSI PDI".split()


@dataclass(frozen=True)
class Sound:
    """A sound that a folder or a table lists: a file, or a part of one.

    Arguments
    ---------
    path : str
        Audio file relative to the data folder, with forward slashes.
    labels : tuple of str
        Names of its classes; none is possible in tagging only.
    split : str, optional
        One of ``SPLITS``, if given.
    group : str, optional
        Name of the group that must not be divided, if given.
    start : float
        Begin of the part in seconds.
    end : float, optional
        End of the part in seconds; None is the end of the file.
    origin : str
        Where it is listed, for messages: a path, or a line of a table.
    """

    path: str
    labels: tuple[str, ...]
    split: str | None = None
    group: str | None = None
    start: float = 0.0
    end: float | None = None
    origin: str = ""

    @property
    def name(self) -> str:
        """Returns the path, with the part in seconds unless it is a file."""
        if self.end is None and not self.start:
            return self.path
        end = "" if self.end is None else f"{self.end:g}"
        return f"{self.path}@{self.start:g}-{end}"


class Listing(NamedTuple):
    """What a folder or a table lists.

    Arguments
    ---------
    sounds : list of Sound
        Those that are listed without fault.
    faults : list of str
        What must be mended, one sentence each.
    notes : list of str
        What a user should know, one sentence each.
    tagging : bool
        Whether a sound may have several labels, or none.
    """

    sounds: list[Sound]
    faults: list[str]
    notes: list[str]
    tagging: bool = False


def one_list(subject: str, problems: Sequence[str], remedy: str) -> ValueError:
    """Returns one error that lists what is wrong: all of it, up to 30 lines.

    Arguments
    ---------
    subject : str
        What cannot be used.
    problems : sequence of str
        One sentence each.
    remedy : str
        What to do about them.

    Returns
    -------
    ValueError

    Example
    -------
    >>> print(one_list("sounds", ["a.wav is empty."], "Mend it."))
    sounds cannot be used as it is:
    - a.wav is empty.
    Mend it.
    """
    more = len(problems) - MOST_LINES
    lines = "".join(f"\n- {problem}" for problem in problems[:MOST_LINES])
    if more > 0:
        lines += f"\n- and {more} more."
    return ValueError(f"{subject} cannot be used as it is:{lines}\n{remedy}")


def clean_name(text: str) -> str:
    """Strips a label, and composes its accents, which systems store apart.

    Arguments
    ---------
    text : str
        The label as written.

    Returns
    -------
    str

    Example
    -------
    >>> clean_name(" cafe\\u0301 ") == "caf\\xe9"
    True
    """
    return unicodedata.normalize("NFC", text.strip())


def fault_of_name(text: str) -> str | None:
    """Returns why a text cannot name a file or a class.

    Such a name would break a manifest or a label map, which are lines of
    UTF-8, or deceive whoever reads it.

    Arguments
    ---------
    text : str
        A path or a label.

    Returns
    -------
    str or None
        What is wrong with it.

    Example
    -------
    >>> fault_of_name("a\\nb"), fault_of_name("<b>dog</b>")
    ('has a control character', None)
    """
    if any("\ud800" <= c <= "\udfff" for c in text):
        return "is not in UTF-8"
    if any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in text):
        return "has a control character"
    if any(unicodedata.bidirectional(c) in REVERSING for c in text):
        return "has a character that reverses the direction of writing"
    return None


def faults_of_labels(
    sounds: Iterable[Sound], tagging: bool, known: Collection[str] = ()
) -> list[str]:
    """Finds what keeps labels from being the classes of a classifier.

    Arguments
    ---------
    sounds : iterable of Sound
        All that are listed.
    tagging : bool
        Whether a sound may have several labels, or none.
    known : collection of str
        Classes that there are already, beside which one may be enough.

    Returns
    -------
    list of str
        One sentence each.

    Example
    -------
    >>> faults_of_labels([Sound("a.wav", ("0.5",)), Sound("b.wav", ("2",))], 0)
    ["The labels are numbers, such as '0.5', '2': classes are predicted here, \
and no quantities; give each class a name."]
    """
    sounds = list(sounds)
    labels = sorted({label for sound in sounds for label in sound.labels})
    faults = []
    for label in labels:
        fault = fault_of_name(label)
        if len(label) > LONGEST_NAME:
            fault = f"has more than {LONGEST_NAME} characters"
        if " => " in label:  # what label maps have between name and index
            fault = "has ' => ' in it"
        if fault:
            faults.append(f"Label {label!r:.60} {fault}: rename the class.")
    if labels and all(map(_is_number, labels)):
        whole = all(label.isdecimal() for label in labels)
        if not whole or len(labels) > MOST_NUMBERS:
            shown = name_some([repr(label) for label in labels[:3]])
            faults.append(
                f"The labels are numbers, such as {shown}: classes are "
                "predicted here, and no quantities; give each class a name."
            )
    bare = [sound.origin for sound in sounds if not sound.labels]
    if bare and not tagging:
        faults.append(
            f"{len(bare)} sounds have no label: {name_some(bare)}; give each "
            "of them one."
        )
    enough = labels and (known or (tagging and bare))
    if len(labels) < 2 and not enough:
        only = f"only one, {labels[0]!r}" if labels else "none"
        faults.append(
            f"Two classes are needed at least, and there is {only}: add "
            "sounds of another one."
        )
    return faults


def look_alikes(labels: Iterable[str]) -> list[str]:
    """Finds classes whose names differ in case, spaces or signs only.

    Arguments
    ---------
    labels : iterable of str
        Names of the classes.

    Returns
    -------
    list of str
        One sentence for each such set of names.

    Example
    -------
    >>> look_alikes(["Dog bark", "dog_bark", "cat"])
    ["The classes 'Dog bark' and 'dog_bark' are told apart, although their \
names are almost the same."]
    """
    keys: dict[str, list[str]] = {}
    for label in sorted(set(labels)):
        key = "".join(c for c in label.casefold() if c.isalnum()) or label
        keys.setdefault(key, []).append(label)
    return [
        f"The classes {' and '.join(map(repr, same))} are told apart, although "
        "their names are almost the same."
        for same in keys.values()
        if len(same) > 1
    ]


def clips_of_classes(sounds: Iterable[Sound]) -> dict[str, int]:
    """Counts the sounds of each class, in the order of their names."""
    counts = Counter(label for sound in sounds for label in sound.labels)
    return {label: counts[label] for label in sorted(counts)}


def _is_number(text):
    """Returns True if a label is the text of a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
