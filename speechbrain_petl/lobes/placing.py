"""Wrappers are made over their sites and hung there."""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import torch
from speechbrain_petl.lobes.companions import check_companions
from speechbrain_petl.lobes.selectors import select_sites
from speechbrain_petl.lobes.share import protect
from speechbrain_petl.lobes.sites import Site
from speechbrain_petl.lobes.wrapper import Wrapper
from torch import nn


class Placed(NamedTuple):
    """A wrapper in its place.

    Arguments
    ---------
    site : Site
        Its site.
    name : str
        Name of its tensors: the site's key, and a number if it is not the
        innermost wrapper there.
    wrapper : torch.nn.Module
        The wrapper.
    """

    site: Site
    name: str
    wrapper: nn.Module


def place(
    sites: Sequence[Site],
    insertions: Iterable[tuple[str, Any]],
    first_layer: int = 0,
    outermost: Iterable[tuple[str, Any]] = (),
) -> list[Placed]:
    """Makes wrappers and hangs them over the sites of a backbone.

    Arguments
    ---------
    sites : sequence of Site
        Sites of the backbone, outermost first; they are marked (see
        ``Site.mark``).
    insertions : iterable of tuple
        Selectors, each with a wrapper or with a list of wrappers from the
        inside out.
    first_layer : int
        The first layer that gets any.
    outermost : iterable of tuple
        The same as ``insertions``, around them, in all layers.

    Returns
    -------
    list of Placed
        Wrappers with their places, the innermost site first: each names its
        own tensors, then what holds it.

    Raises
    ------
    ValueError
        If a selector picks nothing, or a wrapper misses one that it needs or
        changes its target.

    Example
    -------
    >>> from speechbrain_petl.lobes.prompts import PassingPrompts
    >>> from speechbrain_petl.lobes.sites import find_sites
    >>> from transformers import ASTConfig, ASTModel
    >>> sites = find_sites(ASTModel(ASTConfig(num_hidden_layers=2)))
    >>> prompts = lambda target: PassingPrompts(target, n_prompts=4)
    >>> [one.name for one in place(sites, [("layer", prompts)])]
    ['layer.0', 'layer.1']
    """
    for site in sites:
        site.mark()
    placed: list[Placed] = []
    by_site: dict[str, list[nn.Module]] = {}
    wanted = [(*pair, first_layer) for pair in insertions]
    wanted += [(*pair, 0) for pair in outermost]
    for selector, wrappers, first in wanted:
        stack = wrappers if isinstance(wrappers, list) else [wrappers]
        for site in select_sites(sites, selector):
            if site.layer is not None and site.layer < first:
                continue
            device = _device(site)
            here = by_site.setdefault(site.key, [])
            for make in stack:
                target = here[-1] if here else site.module
                wrapper = _make(make, target, site).to(device)
                name = f"{site.key}.{len(here)}" if here else site.key
                placed.append(Placed(site, name, wrapper))
                here.append(wrapper)
                site.put(wrapper)
    check_companions(by_site)
    placed.sort(key=lambda one: one.site.path.count("."), reverse=True)
    return placed


def _device(site: Site) -> torch.device:
    """Returns the device of a site, whose module may have no tensors."""
    near = chain(site.module.parameters(), site.parent.parameters())
    return next((p.device for p in near), torch.device("cpu"))


def _make(make: Callable, target: nn.Module, site: Site) -> nn.Module:
    """Makes a wrapper; one of another library must not write into its target.

    The library's own do not, which spares the time to look.
    """
    kind = getattr(make, "func", make)
    if isinstance(kind, type) and issubclass(kind, Wrapper):
        return make(target)
    with protect(target) as written:
        wrapper = make(target)
    if written:
        raise ValueError(
            f"{type(wrapper).__name__} changes '{next(iter(written))}' of "
            f"'{site.key}' while it is made, which other models share: let it "
            "change a copy, as PEFTLayer does."
        )
    return wrapper
