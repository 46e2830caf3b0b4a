"""Several modules of one kind as one, run at once without a loop over them."""

from collections.abc import Callable

import torch
from speechbrain_petl.lobes.batch_norm import BatchNorm, several_processes
from torch import nn
from torch.func import functional_call, stack_module_state, vmap


def stack_experts(
    expert: Callable[[int], nn.Module], width: int, n_experts: int
) -> nn.Module:
    """Makes N adapters in one, each tensor with a new first axis of size N.

    Arguments
    ---------
    expert : callable
        Function from d to one adapter.
    width : int
        Size d.
    n_experts : int
        Number N of adapters, each with its own random start.

    Returns
    -------
    torch.nn.Module
        Module for ``run_experts``; it cannot be called itself.

    Raises
    ------
    ValueError
        If ``n_experts`` is below 1.

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
    parameters, buffers = stack_module_state(experts)
    for name, tensor in parameters.items():
        tensor = nn.Parameter(tensor, requires_grad=tensor.requires_grad)
        _put(stacked, name, tensor)
    for name, tensor in buffers.items():
        _put(stacked, name, tensor)
    return stacked


def _put(module: nn.Module, name: str, tensor: torch.Tensor) -> None:
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
        Result of ``stack_experts``.
    x : torch.Tensor
        Input of each expert [N, B, T, d], or one for all [B, T, d].
    shared : bool
        If True, all experts read the same input.

    Returns
    -------
    torch.Tensor
        Output of each expert [N, B, T, d].

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
    # vmap can neither be exported nor talk to other processes.
    if torch.compiler.is_exporting() or _talks(experts):
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


def _talks(experts: nn.Module) -> bool:
    """Returns True if the experts exchange statistics with other processes."""
    return (
        experts.training
        and several_processes()
        and any(isinstance(m, BatchNorm) for m in experts.modules())
    )
