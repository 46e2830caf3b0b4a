"""Artefact: a trained adapter's folder, opened once, as data."""

from collections.abc import Callable

import torch
from speechbrain_petl.artefacts.backbones import (
    cached,
    check_backbone,
    folders_of,
    locate,
    skeleton,
)
from speechbrain_petl.artefacts.format import TENSORS, YAML
from speechbrain_petl.artefacts.self_check import check_probe
from speechbrain_petl.artefacts.stored import Stored
from speechbrain_petl.artefacts.tensors import check_shapes, fill
from speechbrain_petl.artefacts.trained import Trained
from speechbrain_petl.lobes.backbone import Backbone
from speechbrain_petl.lobes.fingerprint import fingerprint
from speechbrain_petl.lobes.front_end import FrontEnd
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.utils.messages import printable
from torch import nn


class Artefact(Stored):
    """A trained adapter that somebody stored, which can be loaded.

    ``Artefact.open`` is the way in: it reads and checks all files, as
    ``Stored`` says.
    """

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
        if not source and "/" not in recorded["source"]:
            # Several folders may have its name: the fingerprint decides.
            for place in folders_of(recorded["source"]):
                backbone = lobe(place, revision)
                if fingerprint(backbone) == recorded["fingerprint"]:
                    break
        elif source or may_fetch:
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
