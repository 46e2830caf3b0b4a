"""Stored: the files of an artefact, read and checked; nothing is loaded."""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from speechbrain_petl.artefacts.blueprint import Blueprint
from speechbrain_petl.artefacts.fetch import check_presence, fetch
from speechbrain_petl.artefacts.format import (
    CARD,
    CUSTOM,
    FILES,
    LABELS,
    LARGEST,
    METADATA,
    TENSORS,
    YAML,
    check_custom_code,
    check_label_map,
    read_metadata,
)
from speechbrain_petl.artefacts.header import check_digest, read_shapes
from speechbrain_petl.artefacts.tasks import TASKS, task_of
from speechbrain_petl.utils.messages import printable
from speechbrain_petl.utils.regular_files import read_regular

Opened = TypeVar("Opened", bound="Stored")


class Stored:
    """An artefact as data: what can be known without torch.

    ``Stored.open`` is the way in. Nothing of an artefact is run: its YAML
    is text, from which only the classes of ``artefacts.allowed`` are named.

    Arguments
    ---------
    files : mapping of str to Path
        The files by name; at least the metadata, the tensors and the labels.
    links : bool
        If True, they may be symbolic links: the hub's cache has such.

    Raises
    ------
    ValueError
        If a file is no regular one, too large, malformed or another
        artefact's.
    """

    def __init__(self, files: Mapping[str, Path], links: bool = False):
        self.files = files
        self.links = links
        check_presence(files)
        self.metadata = read_metadata(files[METADATA], links)
        check_digest(files[TENSORS], self.metadata, links)
        self.shapes = read_shapes(files[TENSORS], links)
        check_label_map(self._text(LABELS), files[LABELS], self.labels)

    @classmethod
    def open(
        cls: type[Opened],
        source: str | os.PathLike,
        revision: str | None = None,
    ) -> Opened:
        """Opens a folder or a repository of the Hugging Face hub.

        Arguments
        ---------
        source : str or path-like
            A folder, or an id of the hub such as ``owner/name``.
        revision : str, optional
            Branch, tag or commit on the hub.

        Returns
        -------
        Stored
            An object of this class, all of whose files were read and checked.

        Raises
        ------
        ValueError
            If it cannot be found, is not whole, or holds anything else than
            an artefact should.
        """
        folder, of_hub = fetch(source, revision)
        artefact = cls({name: folder / name for name in FILES}, of_hub)
        artefact._text(CARD)
        code = artefact._text(CUSTOM)
        check_custom_code(code, artefact.files[CUSTOM], artefact.task)
        _ = artefact.blueprint
        return artefact

    @property
    def task(self) -> str:
        """What it is for: the name of a row of ``TASKS``."""
        return task_of(self.metadata)

    def require(self, *tasks: str) -> None:
        """Refuses an artefact that is for something else.

        Arguments
        ---------
        *tasks : str
            What it may be for.

        Raises
        ------
        ValueError
            If it is for none of them.
        """
        if self.task not in tasks:
            raise ValueError(
                f"'{printable(self.files[METADATA].parent)}' is an artefact "
                f"for {self.task}, and not for {' or '.join(tasks)}: use it "
                f"with {TASKS[self.task].interface}."
            )

    @property
    def labels(self) -> list[str]:
        """Labels in the order of the logits."""
        return self.metadata["labels"]

    @cached_property
    def blueprint(self) -> Blueprint:
        """Plan of the modules, from ``hyperparams.yaml``."""
        return Blueprint(self._text(YAML), str(self.files[YAML]), self.metadata)

    def _text(self, name):
        """Reads a small file as text."""
        path = self.files[name]
        try:
            return read_regular(path, LARGEST[name], self.links).decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"'{printable(path)}' cannot be read as text."
            ) from error
