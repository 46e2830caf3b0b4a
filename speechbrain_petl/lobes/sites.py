"""Roles of the places ("sites") in a backbone where PETL modules go.

A site is named by its role, in the words of the papers, and by its layer:
``mhsa.3`` is the self-attention of the fourth layer. ``table`` says where that
is in each family of backbones.
"""

import re
from typing import Any, NamedTuple

from speechbrain_petl.lobes.table import ADD, FAMILIES, Family, family_of
from torch import nn


class SiteInfo(NamedTuple):
    """Facts of the table about a site.

    Arguments
    ---------
    width : int
        Size of the vectors that its module reads or, at ``tokens``, returns.
    norm : str
        ``before`` or ``after``, as in ``Family``.
    n_special : int
        Number of special tokens in front of all others.
    role : str
        Role of the site.
    """

    width: int
    norm: str
    n_special: int
    role: str


class Site(NamedTuple):
    """One place in a backbone: its role, its layer and where it hangs."""

    role: str
    layer: int | None
    path: str
    parent: nn.Module
    module: nn.Module
    info: SiteInfo

    @property
    def key(self) -> str:
        """Name of the site in saved adapters, such as ``ffn.3``."""
        return self.role if self.layer is None else f"{self.role}.{self.layer}"

    def put(self, module: nn.Module) -> None:
        """Hangs ``module`` where the stock module of this site was."""
        setattr_module(self.parent, self.path.rpartition(".")[2], module)

    def mark(self) -> None:
        """Attaches the site's information to its module, for wrappers."""
        vars(self.module)["site_info"] = self.info


def site_info(module: nn.Module) -> SiteInfo | None:
    """Returns the table's facts about a module, None if it is not marked."""
    return getattr(module, "site_info", None)


def copy_info(source: nn.Module, target: nn.Module) -> None:
    """Marks a module that takes the place of another one as that was marked."""
    info = site_info(source)
    if info is not None:
        vars(target)["site_info"] = info


def setattr_module(parent: nn.Module, name: str, module: nn.Module) -> None:
    """Sets a child of a module, of a ``ModuleList`` as well."""
    if isinstance(parent, (nn.ModuleList, nn.Sequential)):
        parent[int(name)] = module
    else:
        setattr(parent, name, module)


class Found(NamedTuple):
    """A backbone of a known family inside a module.

    Arguments
    ---------
    path : str
        Where in the module; empty for the module itself.
    model : torch.nn.Module
        The stock model.
    family : Family
        Its row of the table.
    """

    path: str
    model: nn.Module
    family: Family


def find_backbone(module: nn.Module) -> Found:
    """Finds the backbone of a known family inside a module.

    Arguments
    ---------
    module : torch.nn.Module
        A stock Hugging Face backbone, or a module that holds one.

    Returns
    -------
    Found
        The first one.

    Raises
    ------
    ValueError
        If there is none.

    Example
    -------
    >>> from transformers import ASTConfig, ASTForAudioClassification
    >>> model = ASTForAudioClassification(ASTConfig(num_hidden_layers=1))
    >>> find_backbone(model).path
    'audio_spectrogram_transformer'
    """
    for path, model in module.named_modules():
        family = family_of(getattr(model, "config", None))
        # A model with a head has the configuration too, but not the layers.
        if family and is_there(model, family.sites["layer"].split(".*")[0]):
            return Found(path, model, family)
    raise ValueError(
        f"{type(module).__name__} holds no backbone of a known family "
        f"({', '.join(FAMILIES)}): {ADD}"
    )


def is_there(module: nn.Module, path: str) -> bool:
    """Returns True if a module has a part at a dotted path.

    Step by step: ``get_submodule`` cannot be compiled by torch 2.7.
    """
    found: Any = module
    for part in path.split("."):
        found = getattr(found, part, None)
    return isinstance(found, nn.Module)


def find_sites(module: nn.Module) -> list[Site]:
    """Lists every site of the backbone inside a module, outermost first.

    Arguments
    ---------
    module : torch.nn.Module
        A stock Hugging Face backbone, or a module that holds one.

    Returns
    -------
    list[Site]
        All sites, sorted by depth, then by layer.

    Raises
    ------
    ValueError
        If no backbone of a known family is inside, or a role is not at its
        path.

    Example
    -------
    >>> from transformers import ASTConfig, ASTModel
    >>> ast = ASTModel(ASTConfig(num_hidden_layers=2))
    >>> [site.key for site in find_sites(ast) if site.role == "mhsa"]
    ['mhsa.0', 'mhsa.1']
    """
    prefix, backbone, family = find_backbone(module)
    modules = dict(backbone.named_modules(remove_duplicate=False))
    sites = []
    for role, pattern in family.sites.items():
        regex = re.compile(re.escape(pattern).replace(r"\*", r"(\d+)") + "$")
        matches = [m for m in map(regex.match, modules) if m]
        if not matches:
            raise ValueError(
                f"Role '{role}' should be at '{pattern}' in "
                f"{type(backbone).__name__}, but nothing is there: this "
                "version of transformers names it otherwise; install one "
                "that setup.py allows."
            )
        width = getattr(backbone.config, family.widths.get(role, family.width))
        info = SiteInfo(
            width[-1] if isinstance(width, (list, tuple)) else width,
            family.norm,
            family.n_special,
            role,
        )
        for match in matches:
            path = match.string
            layer = int(match.group(1)) if match.groups() else None
            sites.append(
                Site(
                    role,
                    layer,
                    f"{prefix}.{path}" if prefix else path,
                    modules[path.rpartition(".")[0]],
                    modules[path],
                    info,
                )
            )
    return sorted(sites, key=lambda s: (s.path.count("."), s.layer or 0))
