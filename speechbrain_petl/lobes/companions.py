"""Wrappers that only make sense together, at several sites.

Deep prompts need the tokens that they replace, a prefix needs room, an
adapter on the residual stream needs a module that hands it on. Without its
companion such a wrapper would run all the same and compute something else, so
it says what it needs and ``PETLModel`` checks that it is there.
"""

from collections.abc import Mapping, Sequence

from speechbrain_petl.lobes.wrapper import Need, Wrapper
from torch import nn


def check_companions(placed: Mapping[str, Sequence[nn.Module]]) -> None:
    """Refuses a wrapper that misses another one that it needs.

    Arguments
    ---------
    placed : mapping of str to sequence of torch.nn.Module
        Wrappers of each site, by its key.

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
            needs = wrapper.needs() if isinstance(wrapper, Wrapper) else {}
            for role, need in needs.items():
                there = placed.get(f"{role}.{layer}", placed.get(role, []))
                if not any(_fits(other, need) for other in there):
                    raise ValueError(
                        f"{type(wrapper).__name__} at '{key}' needs "
                        f"{_describe(need)} at '{role}' under 'insertions', "
                        "and it is not there."
                    )


def _fits(wrapper: nn.Module, need: Need) -> bool:
    """Returns True if a wrapper is of the class and has the attributes."""
    return isinstance(wrapper, need.kind) and all(
        getattr(wrapper, name) == value for name, value in need.options.items()
    )


def _describe(need: Need) -> str:
    """Returns the class and the attributes in words."""
    if not need.options:
        return need.kind.__name__
    options = " and ".join(f"{k} {v}" for k, v in need.options.items())
    return f"{need.kind.__name__} with {options}"
