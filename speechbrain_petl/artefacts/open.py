"""Artefact: a trained adapter's folder, opened once, as data."""

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

import torch
from speechbrain_petl.artefacts.backbones import (
    cached,
    check_backbone,
    locate,
    skeleton,
)
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
from speechbrain_petl.artefacts.self_check import check_probe
from speechbrain_petl.artefacts.tasks import TASKS, task_of
from speechbrain_petl.artefacts.tensors import (
    check_digest,
    check_shapes,
    fill,
    read_shapes,
)
from speechbrain_petl.artefacts.trained import Trained
from speechbrain_petl.lobes.backbone import Backbone
from speechbrain_petl.lobes.front_end import FrontEnd
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.utils.messages import printable
from speechbrain_petl.utils.regular_files import read_regular
from torch import nn


class Artefact:
    """A trained adapter that somebody stored, read and checked as data.

    ``Artefact.open`` is the way in. Nothing of an artefact is run: its YAML
    is text, from which only the classes of ``artefacts.allowed`` are made.

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
        cls, source: str | os.PathLike, revision: str | None = None
    ) -> "Artefact":
        """Opens a folder or a repository of the Hugging Face hub.

        Arguments
        ---------
        source : str or path-like
            A folder, or an id of the hub such as ``owner/name``.
        revision : str, optional
            Branch, tag or commit on the hub.

        Returns
        -------
        Artefact
            All of whose files were read and checked.

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

    def backbone(
        self, source: str | Backbone | None = None, fetch: bool | None = None
    ) -> Backbone:
        """Loads the backbone that it was trained on, and checks that it is it.

        Arguments
        ---------
        source : str or Backbone, optional
            Folder or hub id to take instead of the recorded name, or a loaded
            backbone, which is shared.
        fetch : bool, optional
            If True, lets a backbone that it names be fetched from the hub. By
            default only an artefact of the hub may: a folder from somebody
            else decides nothing about what this machine asks the network.

        Returns
        -------
        Backbone
            As its checkpoint has it.

        Raises
        ------
        ValueError
            If it is not found or another one.
        """
        recorded = self.metadata["backbone"]
        if isinstance(source, Backbone):
            check_backbone(source, recorded["fingerprint"])
            return source
        name = locate(source or recorded["source"])
        revision = None if source else recorded["revision"]
        may_fetch = self.links if fetch is None else fetch
        lobe = self.blueprint.backbone.row.load()
        if source or may_fetch or "/" not in recorded["source"]:
            backbone = lobe(name, revision)
        else:
            folder = cached(name, revision)
            if folder is None:
                raise ValueError(
                    f"The backbone '{printable(name)}', which this artefact "
                    "names, is not on this machine, and a folder does not "
                    "decide what is fetched from the hub: allow it with "
                    "--fetch (fetch=True), or give the backbone by --backbone."
                )
            backbone = lobe(folder)
            backbone.source, backbone.revision = name, revision
        check_backbone(backbone, recorded["fingerprint"])
        return backbone

    def load(
        self,
        backbone: Backbone | None = None,
        fit: Callable[..., Backbone] = Backbone.refit,
    ) -> Trained:
        """Builds and fills the modules, and checks what they compute.

        Nothing is built before a model without memory has shown that it has
        the very tensors that are stored.

        Arguments
        ---------
        backbone : Backbone, optional
            As ``backbone()`` gives it, already checked; its tensors are
            shared with the result. Loaded by default.
        fit : callable
            Gives the backbone the artefact's clip length, as ``Backbone.refit`` does.

        Returns
        -------
        Trained
            The modules, on the backbone's device.

        Raises
        ------
        ValueError
            If the tensors do not fit, or the probe fails.
        """
        backbone = self.backbone() if backbone is None else backbone
        options = self.blueprint.options()
        with torch.device("meta"):
            empty = skeleton(backbone).refit(**options)
            check_shapes(
                self.shapes,
                self.blueprint.build("encoder", empty),
                self.blueprint.build("classifier", empty),
                self.files[TENSORS],
            )
        fitted = fit(backbone, **options)
        device = next(backbone.parameters()).device
        front_end, encoder, classifier = (
            self.blueprint.build(key, fitted).to(device)
            for key in ("compute_features", "encoder", "classifier")
        )
        self._check_front_end(front_end)
        self.fill(front_end, encoder, classifier)
        return Trained(self.metadata, front_end, encoder, classifier)

    def fill(
        self, compute_features: FrontEnd, encoder: PETLModel, head: nn.Module
    ) -> None:
        """Fills modules with the trained tensors, and tries them.

        Arguments
        ---------
        compute_features : FrontEnd
            The front end.
        encoder : PETLModel
            The adapted backbone.
        head : torch.nn.Module
            The head.

        Raises
        ------
        ValueError
            If the tensors do not fit exactly, or the probe fails.
        """
        fill(self.files[TENSORS], self.metadata, encoder, head, self.links)
        check_probe(self.metadata["probe"], compute_features, encoder, head)

    def _check_front_end(self, front_end):
        """Refuses a front end other than the one of the metadata."""
        found = front_end.record()
        for name, expected in self.metadata["features"].items():
            if found.get(name, expected) != expected:
                raise ValueError(
                    f"'{printable(self.files[YAML])}': compute_features has "
                    f"{name} {found[name]}, but artefact.json {expected}."
                )

    def _text(self, name):
        """Reads a small file as text."""
        path = self.files[name]
        try:
            return read_regular(path, LARGEST[name], self.links).decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"'{printable(path)}' cannot be read as text."
            ) from error
