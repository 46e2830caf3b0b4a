"""Several modules of one kind as one, run at once without a loop over them."""

from collections.abc import Callable

import torch
from torch import nn
from torch.func import functional_call, vmap


def stack_experts(
    expert: Callable[[int], nn.Module], width: int, n_experts: int
) -> nn.Module:
    """N adapters in one module, each tensor with a new first axis of size N.

    Arguments
    ---------
    expert : callable
        Called with d, gives one adapter.
    width : int
        Size d.
    n_experts : int
        Number N of adapters, each with its own random start.

    Returns
    -------
    torch.nn.Module
        To be called through ``run_experts`` only.

    Raises
    ------
    ValueError
        If there would be no expert.

    Example
    -------
    >>> linear = lambda width: nn.Linear(width, width)
    >>> stack_experts(linear, width=4, n_experts=3).weight.shape
    torch.Size([3, 4, 4])
    """
    if n_experts < 1:
        raise ValueError(f"n_experts is {n_experts}: give at least 1.")
    experts = [expert(width) for _ in range(n_experts)]
    stacked = experts[0]
    for name, _ in list(stacked.named_parameters()):
        each = [e.get_parameter(name).detach() for e in experts]
        _put(stacked, name, nn.Parameter(torch.stack(each)))
    for name, _ in list(stacked.named_buffers()):
        _put(stacked, name, torch.stack([e.get_buffer(name) for e in experts]))
    return stacked


def _put(module, name, tensor):
    """Sets a parameter or a buffer deep inside a module."""
    path, _, leaf = name.rpartition(".")
    setattr(module.get_submodule(path), leaf, tensor)


def run_experts(
    experts: nn.Module, x: torch.Tensor, shared: bool = False
) -> torch.Tensor:
    """Runs all experts at once.

    Dropout differs between them; buffers such as BatchNorm's are updated.

    Arguments
    ---------
    experts : torch.nn.Module
        From ``stack_experts``.
    x : torch.Tensor
        What each expert reads [N, B, T, d], or one for all [B, T, d].
    shared : bool
        Whether all experts read the same.

    Returns
    -------
    torch.Tensor
        What each expert gives [N, B, T, d].

    Example
    -------
    >>> linear = lambda width: nn.Linear(width, width)
    >>> experts = stack_experts(linear, width=4, n_experts=3)
    >>> run_experts(experts, torch.rand(2, 5, 4), shared=True).shape
    torch.Size([3, 2, 5, 4])
    """
    # Not by |, which torch.compile cannot trace before torch 2.8.
    tensors = {
        **dict(experts.named_parameters()),
        **dict(experts.named_buffers()),
    }
    if torch.compiler.is_exporting():  # vmap cannot be exported
        n_experts = len(next(iter(tensors.values())))
        outputs = [
            functional_call(
                experts,
                {name: tensor[i] for name, tensor in tensors.items()},
                (x if shared else x[i],),
            )
            for i in range(n_experts)
        ]
        return torch.stack(outputs)
    run = vmap(
        lambda own, x: functional_call(experts, own, (x,)),
        in_dims=(0, None if shared else 0),
        randomness="different",
    )
    return run(tensors, x)
