"""A collection of a user's own sounds: listed, decoded and grouped."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from speechbrain_petl.dataio.folder import read_folder
from speechbrain_petl.dataio.groups import Groups, keys_by_pattern
from speechbrain_petl.dataio.listing import read_listing
from speechbrain_petl.dataio.sounds import (
    Sound,
    clips_of_classes,
    faults_of_labels,
    look_alikes,
)
from speechbrain_petl.dataio.survey import Heard, Survey
from speechbrain_petl.utils.messages import name_some

REMEDY = (
    "correct them, or go on without them with --skip_bad_audio (in a recipe: "
    "skip_bad_audio: True)"
)


@dataclass
class Collection:
    """Sounds with their groups, and what was found about them.

    Arguments
    ---------
    sounds : list of Sound
        The sounds that can be used.
    heard : list of Heard
        What is known of each.
    groups : Groups
        Which of them must stay together.
    tagging : bool
        Whether a sound may have several labels, or none.
    faults : list of str
        What must be mended, one sentence each.
    notes : list of str
        What a user should know, one sentence each.
    """

    sounds: list[Sound]
    heard: list[Heard]
    groups: Groups
    tagging: bool
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        """Returns the classes by name, those that are numbers by value."""
        names = list(clips_of_classes(self.sounds))
        if all(name.isdecimal() for name in names):
            names.sort(key=int)
        return names


def collect(
    data_folder: str | Path,
    metadata: str | Path | None = None,
    group_by: str | None = None,
    near_duplicates: bool = True,
    skip_bad_audio: bool = False,
    several_labels: bool = False,
    known_labels: Iterable[str] = (),
) -> Collection:
    """Lists and decodes the sounds of a folder, and groups them.

    Grouped are sounds of one file, of one value of the column ``group``, of
    one match of ``group_by``, and sounds that are copies or overlap.

    Arguments
    ---------
    data_folder : str or Path
        Folder of the sounds.
    metadata : str or Path, optional
        Table of the sounds; without one, each subfolder is a class.
    group_by : str, optional
        Regular expression, see ``keys_by_pattern``.
    near_duplicates : bool
        If False, only copies of equal samples are looked for.
    skip_bad_audio : bool
        If True, leaves out sounds that cannot be used and copies with
        different labels, with a note.
    several_labels : bool
        If True, a sound may have several labels, or none, even if the table
        has no such one.
    known_labels : iterable of str
        Classes that there are already, beside which one may be enough.

    Returns
    -------
    Collection

    Example
    -------
    >>> import numpy, soundfile
    >>> root = getfixture("tmp_path")
    >>> for name in ("dog", "cat"):
    ...     (root / name).mkdir()
    ...     soundfile.write(root / name / "1.wav", numpy.zeros(16000), 16000)
    >>> collect(root).faults
    ["1 sounds have different labels in their copies: cat/1.wav ('cat') and \
dog/1.wav ('dog'); correct them, or go on without them with --skip_bad_audio \
(in a recipe: skip_bad_audio: True)."]
    """
    if metadata is None:
        listing = read_folder(data_folder)
    else:
        listing = read_listing(metadata, data_folder)
    faults, notes = list(listing.faults), list(listing.notes)
    sounds = list(listing.sounds)
    tagging = listing.tagging or several_labels
    faults += faults_of_labels(sounds, tagging, list(known_labels))
    notes += look_alikes(clips_of_classes(sounds))
    faults += _listed_twice(sounds)

    survey = Survey(data_folder, sounds, near_duplicates)
    left_out = {i for i, heard in enumerate(survey.heard) if heard.fault}
    said = []
    if left_out:
        bad = [
            f"{sounds[i].name} ({survey.heard[i].fault})"
            for i in sorted(left_out)
        ]
        said.append(
            f"{len(bad)} of {len(sounds)} sounds cannot be used: "
            f"{name_some(bad)}"
        )
    conflicts = list(_conflicts(survey))
    if conflicts:
        shown = [
            " and ".join(
                f"{sounds[i].name} ({_shown(sounds[i])})" for i in same
            )
            for same in conflicts
        ]
        said.append(
            f"{len(conflicts)} sounds have different labels in their copies: "
            f"{name_some(shown)}"
        )
    if skip_bad_audio:
        left_out |= {i for same in conflicts for i in same}
        notes += [f"{line}; they are left out." for line in said]
    else:
        faults += [f"{line}; {REMEDY}." for line in said]

    groups = _group(survey, group_by, faults)
    kept = [i for i in range(len(sounds)) if i not in left_out]
    return Collection(
        [sounds[i] for i in kept],
        [survey.heard[i] for i in kept],
        groups.part(kept),
        tagging,
        faults,
        notes,
    )


def _listed_twice(sounds):
    """Names the parts of files that are listed more than once."""
    counts = Counter(sound.name for sound in sounds)
    twice = [name for name, n in counts.items() if n > 1]
    if not twice:
        return []
    return [
        f"{len(twice)} sounds are listed more than once: {name_some(twice)}; "
        "keep one row of each, with several labels separated by ';' if it has "
        "several."
    ]


def _conflicts(survey):
    """Yields the numbers of sounds that are equal, but labeled differently."""
    copies: dict[str, list[int]] = {}
    for number, heard in enumerate(survey.heard):
        if not heard.fault:
            copies.setdefault(heard.digest, []).append(number)
    for numbers in copies.values():
        if len({survey.sounds[number].labels for number in numbers}) > 1:
            yield numbers


def _shown(sound):
    """Returns the labels of a sound as a message has them."""
    return ", ".join(map(repr, sound.labels)) or "none"


def _group(survey, group_by, faults):
    """Returns the groups of all sounds; adds what is wrong to the faults."""
    sounds = survey.sounds
    groups = Groups(len(sounds))
    groups.join_equal([sound.path for sound in sounds], "parts of one file")
    groups.join_equal([sound.group for sound in sounds], "column group")
    if group_by is not None:
        keys, wrong = keys_by_pattern(sounds, group_by)
        faults += wrong
        if not wrong:
            groups.join_equal(keys, f"pattern {group_by}")
    groups.join_equal(
        [heard.digest or None for heard in survey.heard],
        "equal samples",
        show=False,
    )
    for match in survey.matches(groups):
        reason = {
            "why": "near-identical sound",
            "similarity": round(match.similarity, 2),
            "later_s": round(match.lag, 2),
        }
        if sounds[match.first].labels != sounds[match.second].labels:
            reason["labels"] = [
                list(sounds[match.first].labels),
                list(sounds[match.second].labels),
            ]
        groups.join([match.first, match.second], reason)
    return groups
