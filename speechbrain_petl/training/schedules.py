"""Schedules of the learning rate that are told in epochs."""

import torch
from torch.optim.lr_scheduler import MultiStepLR


def multi_step(
    optimizer: torch.optim.Optimizer,
    T_max: int,
    epochs: int,
    first: int = 5,
    last: int = 25,
    factor: float = 0.85,
) -> MultiStepLR:
    """Multiplies the learning rate by a factor after each of some epochs.

    The defaults are those of IPET's code (arXiv 2211.02227). To be stepped
    after each update, as a recipe's ``lr_annealing`` is.

    Arguments
    ---------
    optimizer : torch.optim.Optimizer
        Optimizer of what trains.
    T_max : int
        Number of updates of the training.
    epochs : int
        Number of epochs that they are made in.
    first, last : int
        Epochs from which, and up to which, each one is followed by a step.
    factor : float
        Factor of the learning rate.

    Returns
    -------
    MultiStepLR

    Example
    -------
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], 1.0)
    >>> schedule = multi_step(optimizer, T_max=12, epochs=6, last=6)
    >>> rates = []
    >>> for _ in range(12):
    ...     rates.append(optimizer.param_groups[0]["lr"])
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates[9:], optimizer.param_groups[0]["lr"] == 0.85**2
    ([1.0, 0.85, 0.85], True)
    """
    steps = [epoch * T_max // epochs for epoch in range(first, last + 1)]
    return MultiStepLR(optimizer, steps, factor)
