"""Where the backbones of this machine's own artefacts lie."""

import contextlib
import os
from pathlib import Path

from speechbrain_petl.dataio.digests import cache_root
from speechbrain_petl.utils.files import write_file


def remember(source: str, fingerprint: str) -> None:
    """Notes the folder of a backbone that an artefact was trained on here.

    An artefact names such a backbone without its path, which is of no use to
    others and may tell more than its author likes. On the machine where it was
    trained it should open all the same. The note is a file in
    ``~/.cache/speechbrain_petl/backbones`` (``SPEECHBRAIN_PETL_CACHE``); where
    none can be written, the artefact's user gives the folder.

    Arguments
    ---------
    source : str
        The backbone's folder; a hub's id needs no note.
    fingerprint : str
        The backbone's, of 64 hexadecimal digits.

    Example
    -------
    >>> folder = getfixture("tmp_path") / "mine"
    >>> folder.mkdir()
    >>> remember(str(folder), 64 * "0")
    >>> remembered("mine") == [str(folder)]
    True
    """
    if not os.path.isdir(source):
        return
    folder = os.path.abspath(source)
    notes = _notes(os.path.basename(folder))
    with contextlib.suppress(OSError):
        notes.mkdir(parents=True, exist_ok=True)
        write_file(str(notes / fingerprint), os.fsencode(folder))


def remembered(name: str) -> list[str]:
    """Returns the folders of this name that were noted, the latest first.

    What is in a note is a place to look, not a proof: the backbone's
    fingerprint is compared once it is loaded.
    """
    with contextlib.suppress(OSError):
        notes = [n for n in _notes(name).iterdir() if len(n.name) == 64]
        notes.sort(key=lambda note: note.stat().st_mtime_ns, reverse=True)
        folders = (Path(os.fsdecode(note.read_bytes())) for note in notes)
        return [str(folder) for folder in folders if folder.name == name]
    return []


def _notes(name):
    """The folder with the notes on all backbones of a name."""
    return cache_root() / "backbones" / name
