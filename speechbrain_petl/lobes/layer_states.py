"""How the states of all layers reach a learner: readers around the layers."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from speechbrain_petl.lobes.backbone import Backbone
from speechbrain_petl.lobes.learners import Learner
from speechbrain_petl.lobes.sites import Site
from speechbrain_petl.lobes.wrapper import HIDDEN, Wrapper, split
from torch import nn


class Reader(Wrapper):
    """Hands on its target's input, and those of the layers before.

    They travel as an attribute of the output, as with ``ipet.Tap``.

    Arguments
    ---------
    target : torch.nn.Module
        Layer, or final LayerNorm.

    Example
    -------
    >>> first, second = Reader(nn.Identity()), Reader(nn.Flatten())
    >>> len(states_of(second(first(torch.ones(2, 3, 4))), 2))
    2
    """

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the target on [B, T, d]."""
        hidden = HIDDEN.get(args, kwargs)
        output = self.target(*args, **kwargs)
        tokens: Any = split(output)[0]
        tokens.states_before = (*getattr(hidden, "states_before", ()), hidden)
        return output

    def merge(self) -> nn.Module:
        """Returns the target."""
        return self.target


def states_of(tokens: torch.Tensor, n_states: int) -> list[torch.Tensor]:
    """Returns the states that ``Reader`` has handed on.

    Arguments
    ---------
    tokens : torch.Tensor
        Final tokens [B, T, d].
    n_states : int
        How many there should be; a family without a final LayerNorm returns
        the last of them.

    Raises
    ------
    ValueError
        If there are fewer.
    """
    found = [*getattr(tokens, "states_before", ()), tokens]
    if len(found) < n_states:
        raise ValueError(
            f"A learner reads {n_states} states, but this backbone hands on "
            f"{len(found)}: give it a max_length, so that all clips are of "
            "one length and run together."
        )
    return found[:n_states]


def readers(
    model: nn.Module, sites: Sequence[Site], unfrozen: Sequence[str]
) -> list[tuple[str, Callable]]:
    """Returns the wrappers that a learner needs, with their selectors.

    Arguments
    ---------
    model : torch.nn.Module
        The backbone.
    sites : sequence of Site
        Its sites.
    unfrozen : sequence of str
        Names of the backbone's tensors that train.

    Raises
    ------
    ValueError
        If the model has no ``tokens``, or the final LayerNorm, which a
        learner does not read, is to train.
    """
    if not isinstance(model, Backbone):
        raise ValueError(
            f"A learner cannot read {type(model).__name__}: make the "
            "PETLModel of one of the library's backbones, such as AST."
        )
    if any(name.startswith("norm_final.") for name in unfrozen):
        raise ValueError(
            "A learner reads what comes before norm_final, which would train "
            "to no effect: leave it out of 'unfrozen'."
        )
    roles = {site.role for site in sites} & {"layer", "norm_final"}
    return [(role, Reader) for role in sorted(roles)]


def make_learner(
    make: Callable, model: Backbone, sites: Sequence[Site]
) -> Learner:
    """Makes a learner for a backbone, on its device.

    Arguments
    ---------
    make : callable
        The class, or a function with its other arguments.
    model : Backbone
        The backbone.
    sites : sequence of Site
        Its sites.
    """
    layers = [site for site in sites if site.role == "layer"]
    width = layers[0].info.width
    device = next(model.parameters()).device
    return make(len(layers) + 1, width, model.embedding_size).to(device)
