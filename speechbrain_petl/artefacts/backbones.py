"""Which backbone an artefact was trained on, and where it is here."""

import copy
import os
from pathlib import Path

import torch
from huggingface_hub import try_to_load_from_cache
from speechbrain_petl.artefacts.remembered import remembered
from speechbrain_petl.lobes.backbone import Backbone
from speechbrain_petl.lobes.fingerprint import fingerprint
from torch import nn

# Folders that hold backbones' folders, separated as PATH is.
SEARCH_VARIABLE = "SPEECHBRAIN_PETL_BACKBONES"
# What a checkpoint's weights may be in
WEIGHTS = tuple(
    f"{file}{index}"
    for file in ("model.safetensors", "pytorch_model.bin")
    for index in ("", ".index.json")
)
PACKAGED = Path(__file__).parents[1] / "demo"


def portable_name(source: str) -> str:
    """Returns the name of a backbone for an artefact: no path of this machine.

    Example
    -------
    >>> portable_name(getfixture("tmp_path").as_posix() + "/") == (
    ...     getfixture("tmp_path").name
    ... )
    True
    >>> portable_name("MIT/ast-finetuned-audioset-10-10-0.4593")
    'MIT/ast-finetuned-audioset-10-10-0.4593'
    """
    if os.path.isdir(source):
        return os.path.basename(os.path.abspath(source))
    return source


def locate(name: str) -> str:
    """Finds the backbone that an artefact names.

    A name without a slash was a local folder's where the artefact was
    trained. It is looked for in the folders that the environment variable
    ``SPEECHBRAIN_PETL_BACKBONES`` lists, where artefacts were trained on this
    machine, in the package's own ``speechbrain_petl/demo``, and in the current
    folder, in this order. What has a slash is a path or a model of the Hugging
    Face hub. Whether it is the right backbone is checked once it is loaded, by
    its fingerprint.

    Arguments
    ---------
    name : str
        The artefact's ``source``, or what overrides it.

    Returns
    -------
    str
        A folder, or the hub's id as it is.

    Raises
    ------
    ValueError
        If a name without a slash is found nowhere.
    """
    if "/" in name or os.path.isabs(name):
        return name
    for folder in folders_of(name):
        return folder
    raise ValueError(
        f"The backbone '{name}' was a local folder where this artefact was "
        "trained, and is not found here: give its folder by "
        "overrides={'source': '/path/to/" + name + "'} "
        f"(--backbone on the command line), or set {SEARCH_VARIABLE} to the "
        f"folder that holds '{name}'."
    )


def folders_of(name: str) -> list[str]:
    """Returns all folders that ``locate`` would take for a name, in order."""
    listed = os.environ.get(SEARCH_VARIABLE, "").split(os.pathsep)
    found = [
        *(os.path.join(folder, name) for folder in listed if folder),
        *remembered(name),
        *(os.path.join(folder, name) for folder in (PACKAGED, ".")),
    ]
    return [
        folder
        for folder in found
        if os.path.isfile(os.path.join(folder, "config.json"))
    ]


def check_backbone(backbone: Backbone, expected: str) -> None:
    """Refuses a backbone other than the one an artefact was trained on.

    Raises
    ------
    ValueError
        If the fingerprints differ.
    """
    found = fingerprint(backbone)
    if found != expected:
        raise ValueError(
            f"The backbone loaded from '{backbone.source}' is not the one that "
            "this artefact was trained on: its fingerprint is "
            f"{found[:12]}..., but the artefact's is {expected[:12]}...; give "
            "the right one by "
            "overrides={'source': ...} (--backbone on the command line)."
        )


def skeleton(backbone: Backbone) -> Backbone:
    """Returns a copy without memory, on the meta device, to try things on."""
    tensors: dict[int, torch.Tensor] = {
        id(p): nn.Parameter(p.to("meta"), requires_grad=False)
        for p in backbone.parameters()
    }
    tensors |= {id(b): b.to("meta") for b in backbone.buffers()}
    return copy.deepcopy(backbone, tensors)


def cached(name: str, revision: str | None = None) -> str | None:
    """Finds a model of the hub in this machine's cache; asks nobody.

    Arguments
    ---------
    name : str
        Its id, ``owner/name``.
    revision : str, optional
        Branch, tag or commit.

    Returns
    -------
    str or None
        Its folder, if it is there with its weights.
    """
    for file in WEIGHTS:
        weights = try_to_load_from_cache(name, file, revision=revision)
        if isinstance(weights, str):
            return os.path.dirname(weights)
    return None


def commit(backbone: Backbone) -> str | None:
    """Returns the hub's commit that a backbone was loaded from, if any."""
    if os.path.isdir(backbone.source):
        return None
    file = try_to_load_from_cache(
        backbone.source, "config.json", revision=backbone.revision
    )
    # The cache keeps a snapshot's files in a folder named after its commit.
    return Path(file).parent.name if file else backbone.revision
