"""Wrappers that only make sense together, at several sites.

Deep prompts need the tokens that they replace, a prefix needs room, an
adapter on the residual stream needs somebody to hand it on. Without its
companion such a wrapper would run all the same and compute something else,
so it says what it needs and ``PETLModel`` looks after it.
"""

from collections.abc import Mapping

from torch import nn


def check_companions(placed: Mapping[str, list[nn.Module]]) -> None:
    """Raises if a wrapper misses another one that it needs.

    A wrapper may have a method ``needs()``. It gives a mapping from a role to
    a class and to the attributes that the wrapper there has to have. The role
    is that of the same layer, or one without layers such as ``tokens``.

    Arguments
    ---------
    placed : mapping of str to list of torch.nn.Module
        The wrappers of each site, by its key.

    Raises
    ------
    ValueError
        If a wrapper that is needed is missing or has other options.

    Example
    -------
    >>> from speechbrain_petl.lobes.prefix import Prefix, PrefixRows
    >>> linear = nn.Linear(4, 4)
    >>> placed = {"key.0": [Prefix(linear, 6)], "value.0": [Prefix(linear, 6)]}
    >>> check_companions(placed)
    Traceback (most recent call last):
    ...
    ValueError: Prefix at 'key.0' needs PrefixRows with num_tokens 6 at 'mhsa' ...
    >>> check_companions(placed | {"mhsa.0": [PrefixRows(linear, 6)]})
    """
    for key, wrappers in placed.items():
        layer = key.partition(".")[2]
        for wrapper in wrappers:
            needs = wrapper.needs() if hasattr(wrapper, "needs") else {}
            for role, (kind, options) in needs.items():
                there = placed.get(f"{role}.{layer}", placed.get(role, []))
                if not any(_fits(other, kind, options) for other in there):
                    same = " and ".join(f"{k} {v}" for k, v in options.items())
                    raise ValueError(
                        f"{type(wrapper).__name__} at '{key}' needs "
                        f"{kind.__name__} {f'with {same} ' * bool(same)}"
                        f"at '{role}' under 'insertions', and it is not there."
                    )


def _fits(wrapper, kind, options):
    """Whether a wrapper is of a class and has these attributes."""
    return isinstance(wrapper, kind) and all(
        getattr(wrapper, name) == value for name, value in options.items()
    )
