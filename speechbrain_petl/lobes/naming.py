"""Names of tensors, ``<role>[.<layer>].<name>``, independent of transformers."""

import fnmatch
from collections.abc import Iterable, Mapping, Sequence

import torch
from speechbrain_petl.lobes.selectors import SELECTOR, resolve, select_sites
from speechbrain_petl.lobes.sites import Site
from speechbrain_petl.utils.messages import mismatches
from torch import nn

Tensors = dict[str, torch.Tensor]


def saved_tensors(module: nn.Module) -> Tensors:
    """Returns the tensors that a module and its parts save, by path."""
    return module.state_dict(keep_vars=True)


def stock_tensors(
    sites: Sequence[Site],
    backbone: nn.Module,
    skip: Iterable[torch.Tensor] = (),
) -> Tensors:
    """Names a backbone's tensors by role, each after its innermost site.

    Arguments
    ---------
    sites : sequence of Site
        Sites of the backbone, outermost first.
    backbone : torch.nn.Module
        Stock model; what lies in no site is named ``backbone.<path>``.
    skip : iterable of torch.Tensor
        Tensors to leave out.

    Returns
    -------
    dict of str to torch.Tensor
        The live tensors.

    Example
    -------
    >>> from speechbrain_petl.lobes.sites import find_sites
    >>> from transformers import ASTConfig, ASTModel
    >>> ast = ASTModel(ASTConfig(num_hidden_layers=1))
    >>> tensors = stock_tensors(find_sites(ast), ast)
    >>> tensors["norm_final.bias"] is ast.layernorm.bias
    True
    """
    named: Tensors = {}
    seen = {id(tensor) for tensor in skip}
    places = [(site.key, site.module) for site in reversed(sites)]
    for key, module in [*places, ("backbone", backbone)]:
        for path, tensor in saved_tensors(module).items():
            if id(tensor) not in seen:
                seen.add(id(tensor))
                named[f"{key}.{path}"] = tensor
    return named


def match(
    tensors: Mapping[str, torch.Tensor],
    patterns: Iterable[str],
    sites: Sequence[Site] = (),
) -> list:
    """Lists the parameters that ``unfrozen`` names.

    Arguments
    ---------
    tensors : mapping of str to torch.Tensor
        Tensors of a backbone by role.
    patterns : iterable of str
        Selectors of sites, which stand for all parameters inside, such as
        ``layer[-3:]``; or patterns as of ``fnmatch`` over the names.
    sites : sequence of Site
        Sites of the backbone.

    Returns
    -------
    list of str
        Names, each once.

    Raises
    ------
    ValueError
        If a pattern matches nothing.

    Example
    -------
    >>> tensors = {"norm_ffn.0.bias": nn.Parameter(torch.ones(1))}
    >>> match(tensors, ["norm_ffn"])
    ['norm_ffn.0.bias']
    """
    if isinstance(patterns, str):
        raise ValueError(f"'unfrozen' is a list; write [{patterns}].")
    names = [n for n, t in tensors.items() if isinstance(t, nn.Parameter)]
    matched: dict[str, None] = {}
    for pattern in patterns:
        inside = {
            id(parameter)
            for site in _selected(sites, pattern)
            for parameter in site.module.parameters()
        }
        hits = [
            name
            for name in names
            if fnmatch.fnmatchcase(name, pattern)
            or name.startswith(f"{pattern}.")
            or id(tensors[name]) in inside
        ]
        if not hits:
            roles = sorted({name.partition(".")[0] for name in names})
            raise ValueError(
                f"unfrozen: '{pattern}' matches no parameter of the backbone; "
                f"names look like '{names[0]}' and the roles are "
                f"{', '.join(roles)}."
            )
        matched.update(dict.fromkeys(hits))
    return list(matched)


def _selected(sites: Sequence[Site], pattern: str) -> list[Site]:
    """Returns the sites of a selector, none for another kind of pattern."""
    role, bracket, _ = pattern.partition("[")
    known = any(site.role == resolve(role, sites) for site in sites)
    if not known or (bracket and not SELECTOR.fullmatch(pattern)):
        return []
    return select_sites(sites, pattern)


def check_same(
    own: Mapping[str, torch.Tensor], given: Mapping[str, torch.Tensor]
) -> None:
    """Refuses tensors that are not of a model's names and shapes.

    Arguments
    ---------
    own : mapping of str to torch.Tensor
        Tensors of the model.
    given : mapping of str to torch.Tensor
        Tensors to copy into them.

    Raises
    ------
    ValueError
        If a tensor is missing, unexpected or of another shape, naming it.

    Example
    -------
    >>> check_same({"a": torch.ones(1)}, {})
    Traceback (most recent call last):
    ...
    ValueError: These trained tensors do not fit this model: missing 'a'. ...
    """
    problems = mismatches(
        {name: tensor.shape for name, tensor in own.items()},
        {name: tensor.shape for name, tensor in given.items()},
    )
    if problems:
        raise ValueError(
            f"These trained tensors do not fit this model: {problems}. "
            "Build the model with the method, backbone and options that "
            "they were trained with."
        )
