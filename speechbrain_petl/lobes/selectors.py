"""Selectors: which sites a key of ``insertions`` stands for."""

import re
from collections.abc import Sequence

from speechbrain_petl.lobes.sites import Site
from speechbrain_petl.utils.messages import did_you_mean

# Roles that depend on where LayerNorms stand, before the sub-layers or after.
ALIASES = {"norm_before_ffn": {"before": "norm_ffn", "after": "norm_mhsa"}}
SELECTOR = re.compile(
    r"(?P<role>\w+)(\[(?P<range>-?\d+|(-?\d+)?(:(-?\d+)?){1,2})\])?"
)


def select_sites(sites: Sequence[Site], selector: str) -> list[Site]:
    """Picks the sites that a selector in a YAML file names.

    Arguments
    ---------
    sites : sequence of Site
        All sites of a backbone.
    selector : str
        A role, optionally with a layer or a Python range of layers:
        ``mhsa``, ``mhsa[0]``, ``layer[1:]``, ``ffn[::2]``. The role
        ``norm_before_ffn`` stands for the LayerNorm whose output the
        feed-forward network reads, in any family.

    Returns
    -------
    list[Site]
        Selected sites, in the order of the layers.

    Raises
    ------
    ValueError
        If the role is unknown or the range picks no layer.

    Example
    -------
    >>> from speechbrain_petl.lobes.sites import find_sites
    >>> from transformers import ASTConfig, ASTModel
    >>> sites = find_sites(ASTModel(ASTConfig(num_hidden_layers=4)))
    >>> [site.key for site in select_sites(sites, "ffn[2:]")]
    ['ffn.2', 'ffn.3']
    """
    match = SELECTOR.fullmatch(selector)
    role, span = match.group("role", "range") if match else (selector, None)
    role = resolve(role, sites)
    found = sorted(
        (site for site in sites if site.role == role),
        key=lambda site: site.layer or 0,
    )
    if not found:
        roles = list(dict.fromkeys(site.role for site in sites))
        near = did_you_mean(role, roles)
        hint = f"{near} " if near else ""
        raise ValueError(
            f"Unknown role '{selector}': {hint}the roles of this backbone "
            f"are {', '.join(roles)}, each with an optional range of layers "
            "such as 'mhsa[1:]'."
        )
    if span is None:
        return found
    if ":" in span:
        bounds = [int(x) if x else None for x in span.split(":")]
        picked = found[slice(*bounds)]
    else:
        index = int(span)
        picked = found[index:][:1] if index >= -len(found) else []
    if not picked:
        raise ValueError(
            f"'{selector}' picks no layer: this backbone has "
            f"{len(found)} layers, 0 to {len(found) - 1}."
        )
    return picked


def resolve(role: str, sites: Sequence[Site]) -> str:
    """Returns a role's name in a backbone, another one for an alias only."""
    names = ALIASES.get(role, {})
    return names.get(sites[0].info.norm, role) if sites else role


def layer_of(name: str) -> int | None:
    """Returns the layer in the name of a site or tensor, None if it has none.

    Example
    -------
    >>> layer_of("ffn.3.adapter.down.bias"), layer_of("norm_final.bias")
    (3, None)
    """
    number = name.partition(".")[2].partition(".")[0]
    return int(number) if number.isdigit() else None


def first_of(layer: int, sites: Sequence[Site]) -> int:
    """Returns the number of a layer that may be counted from the end.

    Raises
    ------
    ValueError
        If there is no such layer.
    """
    n_layers = 1 + max(site.layer or 0 for site in sites)
    if layer not in range(-n_layers, n_layers):
        raise ValueError(
            f"first_layer is {layer}: this backbone has {n_layers} layers, "
            f"0 to {n_layers - 1}, or -1 for the last."
        )
    return layer % n_layers
