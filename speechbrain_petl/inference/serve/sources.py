"""Artefacts that are served, and the names of their tasks."""

import re
from collections.abc import Sequence
from pathlib import PurePath

from speechbrain_petl.utils.messages import printable

# Of a task: it may become a folder's name
NAME = re.compile(r"\w[\w.-]{0,99}")
UNTELLING = "artefact"  # as the recipes call every artefact's folder


def named_sources(texts: Sequence[str]) -> dict[str, str]:
    """Reads artefacts of a command line, each ``ARTEFACT`` or ``NAME=ARTEFACT``.

    Arguments
    ---------
    texts : sequence of str
        Folders, or ids of the Hugging Face hub. Without a name, a task is
        called as the folder or the id ends.

    Returns
    -------
    dict of str to str
        Folder or id, by the name of the task.

    Raises
    ------
    ValueError
        If a name cannot be one, or two tasks have the same.

    Example
    -------
    >>> named_sources(["results/birds/artefact", "me/cats", "x=me/dogs"])
    {'birds': 'results/birds/artefact', 'cats': 'me/cats', 'x': 'me/dogs'}
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, source = text.partition("=")
        if not (equals and source and NAME.fullmatch(name)):
            name, source = _default_name(text), text
        if name in found:
            raise ValueError(
                f"Two artefacts would have the name '{name}': say NAME=ARTEFACT, "
                f"such as first={printable(source)}."
            )
        found[name] = source
    return found


def _default_name(source):
    """Returns a name for the task of a folder or an id of the hub."""
    parts = [p for p in PurePath(source).parts if NAME.fullmatch(p)]
    telling = [p for p in parts if p != UNTELLING]
    return telling[-1] if telling else "task"
