"""Roles of the places ("sites") in a backbone where PETL modules go.

A site is named by its role, in the words of the papers, and by its layer:
``mhsa.3`` is the self-attention of the fourth layer. This table is the only
place that names an attribute of a Hugging Face class, so that YAML files and
saved adapters outlive a renaming there.
"""

import difflib
import re
from typing import NamedTuple

from torch import nn

SITES = {
    "audio-spectrogram-transformer": {
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
}

SELECTOR = re.compile(r"(?P<role>\w+)(\[(?P<range>[-\d:]+)\])?")


class Site(NamedTuple):
    """One place in a backbone: its role, its layer and where it hangs."""

    role: str
    layer: int | None
    path: str
    parent: nn.Module
    module: nn.Module

    @property
    def key(self) -> str:
        """Name of the site in saved adapters, such as ``ffn.3``."""
        return self.role if self.layer is None else f"{self.role}.{self.layer}"

    def put(self, module: nn.Module) -> None:
        """Hangs ``module`` where the stock module of this site was."""
        setattr_module(self.parent, self.path.rpartition(".")[2], module)


def setattr_module(parent: nn.Module, name: str, module: nn.Module) -> None:
    """Sets a child of a module, of a ``ModuleList`` as well."""
    if isinstance(parent, (nn.ModuleList, nn.Sequential)):
        parent[int(name)] = module
    else:
        setattr(parent, name, module)


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
        If no backbone of a known family is inside.

    Example
    -------
    >>> from transformers import ASTConfig, ASTModel
    >>> ast = ASTModel(ASTConfig(num_hidden_layers=2))
    >>> [site.key for site in find_sites(ast) if site.role == "mhsa"]
    ['mhsa.0', 'mhsa.1']
    """
    for prefix, backbone in module.named_modules():
        config = getattr(backbone, "config", None)
        table = SITES.get(getattr(config, "model_type", None))
        if table and hasattr(backbone, table["norm_final"]):
            return _expand(table, prefix, backbone)
    raise ValueError(
        f"{type(module).__name__} holds no backbone of a known family "
        f"({', '.join(SITES)}); add its roles to speechbrain_petl/lobes/sites.py."
    )


def _expand(table, prefix, backbone):
    """Matches the paths of one family's table with a backbone's modules."""
    modules = dict(backbone.named_modules(remove_duplicate=False))
    sites = []
    for role, pattern in table.items():
        regex = re.compile(re.escape(pattern).replace(r"\*", r"(\d+)") + "$")
        matches = [m for m in map(regex.match, modules) if m]
        if not matches:
            raise ValueError(
                f"Role '{role}' should be at '{pattern}' in "
                f"{type(backbone).__name__}, but nothing is there: this "
                "version of transformers names it otherwise; install one "
                "that setup.py allows."
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
                )
            )
    return sorted(sites, key=lambda s: (s.path.count("."), s.layer or 0))


def select_sites(sites: list[Site], selector: str) -> list[Site]:
    """Picks the sites that a selector of a YAML file names.

    Arguments
    ---------
    sites : list[Site]
        All sites of a backbone.
    selector : str
        A role, if wanted with a layer or a Python range of layers:
        ``mhsa``, ``mhsa[0]``, ``layer[1:]``, ``ffn[::2]``.

    Returns
    -------
    list[Site]
        The sites picked, in the order of the layers.

    Raises
    ------
    ValueError
        If the role is unknown or the range picks no layer.

    Example
    -------
    >>> from transformers import ASTConfig, ASTModel
    >>> sites = find_sites(ASTModel(ASTConfig(num_hidden_layers=4)))
    >>> [site.key for site in select_sites(sites, "ffn[2:]")]
    ['ffn.2', 'ffn.3']
    """
    match = SELECTOR.fullmatch(selector)
    role = match["role"] if match else selector
    found = sorted(
        (site for site in sites if site.role == role),
        key=lambda site: site.layer or 0,
    )
    if not found:
        roles = list(dict.fromkeys(site.role for site in sites))
        near = difflib.get_close_matches(role, roles, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise ValueError(
            f"Unknown role '{selector}': {hint}the roles of this backbone "
            f"are {', '.join(roles)}, each with an optional range of layers "
            "such as 'mhsa[1:]'."
        )
    if match["range"] is None:
        return found
    bounds = [int(x) if x else None for x in match["range"].split(":")]
    if len(bounds) == 1:
        bounds = [bounds[0], None if bounds[0] == -1 else bounds[0] + 1]
    picked = found[slice(*bounds)]
    if not picked:
        raise ValueError(
            f"'{selector}' picks no layer: this backbone has "
            f"{len(found)} layers, 0 to {len(found) - 1}."
        )
    return picked
