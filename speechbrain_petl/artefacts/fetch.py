"""Where the files of an artefact are: a folder, or the hub's cache."""

import os
from collections.abc import Mapping
from pathlib import Path

from speechbrain_petl.artefacts.format import FILES, METADATA
from speechbrain_petl.utils.messages import first_line, printable


def fetch(
    source: str | os.PathLike, revision: str | None = None
) -> tuple[Path, bool]:
    """Finds the folder of an artefact; one on the hub is fetched.

    Only the files of an artefact are, whatever else the repository holds.

    Arguments
    ---------
    source : str or path-like
        A folder, or an id of the hub such as ``owner/name``.
    revision : str, optional
        Branch, tag or commit on the hub.

    Returns
    -------
    folder : Path
        Where its files are; the last part is the commit if it is of the hub.
    of_hub : bool
        Whether it is of the hub: the files of its cache are links.

    Raises
    ------
    ValueError
        If it is neither a folder nor can be fetched.
    """
    if os.path.isdir(source):
        return Path(source), False
    # Only now: a folder needs no client of the hub.
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(
            str(source), revision=revision, allow_patterns=list(FILES)
        )
    except (OSError, ValueError) as error:
        at = f" at revision '{printable(revision)}'" if revision else ""
        raise ValueError(
            f"'{printable(source)}' is no folder, and cannot be fetched from "
            f"the hub{at}: check the name, the network and, if it is private, "
            f"that you are logged in. ({printable(first_line(error))})"
        ) from error
    return Path(folder), True


def check_presence(files: Mapping[str, Path]) -> None:
    """Refuses an artefact that lacks a file.

    Arguments
    ---------
    files : mapping of str to Path
        The files that have to be there, by name.

    Raises
    ------
    ValueError
        Naming the file.
    """
    missing = [
        name for name, path in files.items() if not os.path.lexists(path)
    ]
    if METADATA in missing:
        raise ValueError(
            f"There is no artefact: '{printable(files[METADATA])}' is missing."
        )
    if missing:
        folder = files[missing[0]].parent
        raise ValueError(
            f"'{printable(folder)}' is no whole artefact: there is no "
            f"{missing[0]}."
        )
