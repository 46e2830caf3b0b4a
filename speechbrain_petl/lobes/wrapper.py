"""The contract of a wrapper: a module in the place of one that it calls.

``PETLModel`` makes a wrapper as ``Cls(target_module, **options)`` and puts it
where its target was. All that a wrapper may say about itself is in the class
``Wrapper``. A module of another library needs none of that: it has to own its
target and to call it, under whatever name it keeps it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from speechbrain_petl.lobes.sites import site_info
from torch import nn


class Need(NamedTuple):
    """Another wrapper that has to be in the same layer.

    Arguments
    ---------
    kind : type
        Class of the other wrapper.
    options : mapping of str to object
        Attributes that it has to have.
    """

    kind: type[nn.Module]
    options: Mapping[str, Any]


class Wrapper(nn.Module):
    """Base class of all modules that wrap a site of a backbone.

    A subclass passes on whatever arguments its target takes, by position or
    by keyword (see ``Argument``), and returns what its target returns, apart
    from the hidden states that it changes. It may define ``merge()``, which
    returns a module of the target's class that computes the same.

    Arguments
    ---------
    target : torch.nn.Module
        Module to wrap.

    Attributes
    ----------
    identity_at_start : bool
        True if the model's output at step 0 is the frozen backbone's.
    n_special : int, optional
        Number of special tokens in front of the output; None if it is the
        target's.

    Example
    -------
    >>> class Doubled(Wrapper):
    ...     identity_at_start = False
    ...
    ...     def forward(self, *args, **kwargs):
    ...         output, rest = split(self.target(*args, **kwargs))
    ...         return join(2 * output, rest)
    >>> Doubled(nn.Identity())(torch.ones(3))
    tensor([2., 2., 2.])
    """

    identity_at_start: bool = True
    n_special: int | None = None

    def __init__(self, target: nn.Module):
        super().__init__()
        self.target = target

    def needs(self) -> dict[str, Need]:
        """Returns the wrappers that this one needs, by role.

        The role is that of the same layer, or one without layers such as
        ``tokens``.
        """
        return {}


class Argument(NamedTuple):
    """An argument that may come by position or by keyword.

    Arguments
    ---------
    position : int
        Place among the positional arguments.
    names : tuple of str
        Names by which it may come otherwise.

    Example
    -------
    >>> HIDDEN.get((), {"hidden_states": 3})
    3
    >>> MASK.set((1, None), {}, 5)
    ((1, 5), {})
    """

    position: int
    names: tuple[str, ...]

    def get(self, args: tuple, kwargs: Mapping[str, Any]) -> Any:
        """Returns the argument of a call, None if it is not there."""
        if self.position < len(args):
            return args[self.position]
        for name in self.names:
            if name in kwargs:
                return kwargs[name]
        return None

    def set(
        self, args: tuple, kwargs: Mapping[str, Any], value: Any
    ) -> tuple[tuple, dict[str, Any]]:
        """Returns the arguments of a call with this one replaced.

        It stays where it was, by position or by keyword.
        """
        if self.position < len(args):
            before, after = args[: self.position], args[self.position + 1 :]
            return (*before, value, *after), dict(kwargs)
        for name in self.names:
            if name in kwargs:
                return args, {**kwargs, name: value}
        return args, {**kwargs, self.names[0]: value}


INPUT = Argument(0, ("input_values", "input_features"))
HIDDEN = Argument(0, ("hidden_states", "hidden"))
MASK = Argument(1, ("attention_mask", "mask"))


def split(output: Any) -> tuple[torch.Tensor, tuple | None]:
    """Separates the hidden states from what else a sub-layer returns.

    Hugging Face's attention returns ``(hidden, weights)``, a layer a tensor
    or, in older versions, ``(hidden,)``, of which the first is taken.
    """
    if isinstance(output, tuple):
        return output[0], output[1:]
    return output, None


def join(hidden: torch.Tensor, rest: tuple | None) -> Any:
    """Undoes ``split``.

    Example
    -------
    >>> [join(*split(output)) for output in (1, (1,), (1, 2))]
    [1, (1,), (1, 2)]
    """
    return hidden if rest is None else (hidden, *rest)


def inside(module: nn.Module) -> nn.Module | None:
    """Returns what a wrapper wraps, None for a stock module.

    A wrapper of another library keeps its target under a name of its own. In
    a ``PETLModel`` it is found there as well, since stock modules are marked.
    """
    if site_info(module) is not None:
        return None
    target = getattr(module, "target", None)
    if isinstance(target, nn.Module):
        return target
    for part in module.modules():
        known = isinstance(part, Wrapper) or site_info(part) is not None
        if known and part is not module:
            return part
    return None


def innermost(module: nn.Module) -> nn.Module:
    """Returns the stock module that a stack of wrappers holds."""
    within = inside(module)
    while within is not None:
        module, within = within, inside(within)
    return module


def width(module: nn.Module) -> int:
    """Returns the size of the token vectors at a site.

    In a ``PETLModel`` it is taken from the table of sites. A module on its own
    is assumed to read vectors of the size of its first weight's last axis.

    Example
    -------
    >>> width(nn.Linear(48, 12))
    48
    """
    stock = innermost(module)
    info = site_info(stock)
    if info is not None:
        return info.width
    return next(stock.parameters()).shape[-1]


def special_tokens(module: nn.Module) -> int | None:
    """Returns the number of special tokens in front of a module's output.

    It is taken from the outermost wrapper that changes it, or else from the
    table of sites; None for a module that is in no ``PETLModel``.
    """
    within: nn.Module | None = module
    while within is not None:
        if isinstance(within, Wrapper) and within.n_special is not None:
            return within.n_special
        module, within = within, inside(within)
    info = site_info(module)
    return None if info is None else info.n_special
