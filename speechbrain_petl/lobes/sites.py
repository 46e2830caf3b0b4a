"""Roles of the places ("sites") in a backbone where PETL modules go.

A site is named by its role, in the words of the papers, and by its layer:
``mhsa.3`` is the self-attention of the fourth layer. This table is the only
place that names an attribute of a Hugging Face class, so that YAML files and
saved adapters outlive a renaming there. It also says what cannot be read off
the modules.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import nn


@dataclass(frozen=True)
class Family:
    """What is known of a family of backbones.

    Arguments
    ---------
    sites : mapping of str to str
        Path of each role in the stock model; ``*`` stands for the layer.
    norm : str
        ``before`` or ``after``: where LayerNorms stand relative to the
        sub-layers of a layer.
    n_special : int
        Number of special tokens in front of all others.
    width : str
        Field of the configuration with the size of a token's vector.
    widths : mapping of str to str
        The same, for roles that read vectors of another size.
    """

    sites: Mapping[str, str]
    norm: str
    n_special: int
    width: str = "hidden_size"
    widths: Mapping[str, str] = field(default_factory=dict)


FAMILIES = {
    "audio-spectrogram-transformer": Family(
        sites={
            "tokens": "embeddings",
            "patches": "embeddings.patch_embeddings.projection",
            "layer": "layers.*",
            "mhsa": "layers.*.attention",
            "query": "layers.*.attention.q_proj",
            "key": "layers.*.attention.k_proj",
            "value": "layers.*.attention.v_proj",
            "output": "layers.*.attention.o_proj",
            "ffn": "layers.*.mlp",
            "ffn_up": "layers.*.mlp.fc1",
            "ffn_down": "layers.*.mlp.fc2",
            "norm_mhsa": "layers.*.layernorm_before",
            "norm_ffn": "layers.*.layernorm_after",
            "norm_final": "layernorm",
        },
        norm="before",
        n_special=2,
        widths={"ffn_down": "intermediate_size"},
    ),
}


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
    """

    width: int
    norm: str
    n_special: int


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
        config: Any = getattr(model, "config", None)
        family = FAMILIES.get(getattr(config, "model_type", None) or "")
        # A model with a head has the configuration too, but not the layers.
        if family and hasattr(model, family.sites["layer"].split(".")[0]):
            return Found(path, model, family)
    raise ValueError(
        f"{type(module).__name__} holds no backbone of a known family "
        f"({', '.join(FAMILIES)}); add its roles to "
        "speechbrain_petl/lobes/sites.py."
    )


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
        info = SiteInfo(
            getattr(backbone.config, family.widths.get(role, family.width)),
            family.norm,
            family.n_special,
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
