"""Copies of a model that share the memory of all that is frozen.

Ten tasks on one backbone cost one backbone and ten small sets of tensors. A
copy has modules and ``Parameter`` objects of its own; only the memory behind
them is shared, and sharing ends where something would change it:

- A conversion (``double()``, ``half()``, ``to(dtype)``) or a move to another
  device replaces the memory of the model that is converted. The others keep
  theirs. Ten models that are moved to a GPU one by one are therefore ten
  backbones there: move the backbone first, then make the models.
- ``load_state_dict`` writes into new memory of the module that it fills.
- What a wrapper writes while it is built is undone or kept apart
  (``protect``).

Code that writes into a frozen tensor itself, such as an optimizer that was
given one, changes it for all: use ``copy.deepcopy`` to train such a copy.
"""

import contextlib
import copy
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TypeVar

import torch
from torch import nn

Model = TypeVar("Model", bound=nn.Module)


def share(module: Model, own: Iterable[torch.Tensor] = ()) -> Model:
    """Copies a module's structure, but not its frozen tensors.

    Arguments
    ---------
    module : torch.nn.Module
        Module to copy; its tensors stay as they are.
    own : iterable of torch.Tensor
        Parameters and buffers that the copy gets for itself.

    Returns
    -------
    torch.nn.Module
        The copy. Its parameters need no gradient, apart from those in
        ``own``, which stay as they are.

    Example
    -------
    >>> layer = nn.Linear(3, 3)
    >>> copied = share(layer, own=[layer.bias])
    >>> copied.weight.data_ptr() == layer.weight.data_ptr()
    True
    >>> copied.bias.data_ptr() == layer.bias.data_ptr()
    False
    >>> copied.double().weight.dtype, layer.weight.dtype
    (torch.float64, torch.float32)
    """
    owned = {id(tensor) for tensor in own}
    tensors = chain(module.parameters(), module.buffers())
    memo = {id(t): _alias(t) for t in tensors if id(t) not in owned}
    own_before_loading(module)
    return copy.deepcopy(module, memo)


def _alias(tensor: torch.Tensor) -> torch.Tensor:
    """Returns another tensor object on the same memory."""
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(tensor.detach(), requires_grad=False)
    return tensor.detach()


def own_before_loading(module: nn.Module) -> None:
    """Makes ``load_state_dict`` write into memory of a module's own.

    It holds for all modules inside, each of which may be loaded alone. Those
    that come later into a model that shares have to be told as well.

    Arguments
    ---------
    module : torch.nn.Module
        Module that shares tensors with others.
    """
    for part in module.modules():
        if not getattr(part, "owns_before_loading", False):
            part.register_load_state_dict_pre_hook(_own)
            vars(part)["owns_before_loading"] = True


def _own(module: nn.Module, *_: object) -> None:
    """Copies a module's own tensors to new memory."""
    for tensor in direct_tensors(module):
        tensor.data = tensor.data.clone()


def direct_tensors(module: nn.Module) -> Iterator[torch.Tensor]:
    """Iterates over the parameters and buffers of a module, not of its parts."""
    return chain(
        module.parameters(recurse=False), module.buffers(recurse=False)
    )


@contextlib.contextmanager
def protect(module: nn.Module) -> Iterator[dict[str, torch.Tensor]]:
    """Lets code write into a module's tensors, and puts them back afterwards.

    Whatever way of writing is used (in place, ``.data =``, another parameter),
    the memory from before is untouched.

    Arguments
    ---------
    module : torch.nn.Module
        Module whose tensors are shared with others.

    Yields
    ------
    dict of str to torch.Tensor
        Empty inside; afterwards, what was written, by name.

    Example
    -------
    >>> layer = nn.Linear(1, 1)
    >>> with protect(layer) as written:
    ...     layer.weight.data = layer.weight.data + 1
    ...     layer.bias.data.mul_(1)
    tensor([...])
    >>> list(written)
    ['weight']
    """
    before = _all_tensors(module)
    memory = {name: tensor.data for name, tensor in before.items()}
    for tensor in before.values():
        tensor.data = tensor.data.clone()
    written: dict[str, torch.Tensor] = {}
    try:
        yield written
    finally:
        after = _all_tensors(module)
        for name, tensor in before.items():
            new = after.get(name, torch.empty(0)).detach()
            if after.get(name) is not tensor or _differ(new, memory[name]):
                written[name] = new
            tensor.data = memory[name]


def _all_tensors(module: nn.Module) -> dict[str, torch.Tensor]:
    """Returns a module's parameters and buffers by name."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _differ(new: torch.Tensor, old: torch.Tensor) -> bool:
    """Returns True if two tensors differ in kind or in a value."""
    kinds = {(t.dtype, t.device, t.shape) for t in (new, old)}
    if len(kinds) > 1:
        return True
    return not new.is_meta and not torch.equal(new, old)
