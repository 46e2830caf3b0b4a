"""The cut: the place before the first trained tensor, in order of execution.

All that comes before it gives the same for a clip at each epoch, fold, seed
and method (see ``SplitEncoder``). A cut computes the states there and goes on
from them:

=====================  ===================================  =================
what trains            states of a clip                     class
=====================  ===================================  =================
nothing, or the final  its pooled tokens, normalized        ``PooledCut``
LayerNorm
layers k to the last   what layer k reads, [T, d]           ``LayerCut``
a learner              all layers' states, [S, T, d]        ``LayersCut``
=====================  ===================================  =================
"""

from collections.abc import Callable
from typing import Any

import torch
from speechbrain_petl.lobes.backbone import Backbone
from speechbrain_petl.lobes.selectors import layer_of
from speechbrain_petl.lobes.wrapper import HIDDEN, split
from torch import nn
from torch.func import functional_call

FINAL = ("norm_final.weight", "norm_final.bias")


class Cut:
    """Base class: a model in two parts.

    Arguments
    ---------
    model : PETLModel
        The model.
    """

    def __init__(self, model: Any):
        self.model = model
        self.backbone: Backbone = model.model

    #: What the states are, for their place in a cache and for results.
    name: str

    def frozen(
        self, inputs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes states [B, ...] of inputs [B, ...]."""
        raise NotImplementedError

    def finish(self, states: torch.Tensor) -> torch.Tensor:
        """Computes embeddings [B, embedding_size] of states [B, ...]."""
        raise NotImplementedError


class PooledCut(Cut):
    """The cut behind all tokens: one vector a clip.

    A pooling is a mean over tokens t, and the final LayerNorm's weight and
    bias are the same for all of them:

        mean_t(weight * n_t + bias) = weight * mean_t(n_t) + bias

    with n_t a token, normalized. So the pooled n_t are the states.
    """

    def __init__(self, model: Any):
        super().__init__(model)
        tensors = model.named_tensors()
        paths = {id(p): path for path, p in model.named_parameters()}
        # A family without a final LayerNorm has none of them.
        final = [tensors[name] for name in FINAL if name in tensors]
        self._paths = [paths[id(p)] for p in final if id(p) in paths]
        if not any(p.requires_grad for p in final):
            self._paths = []
        plain = ", before the final weight and bias" if self._paths else ""
        pooling = getattr(self.backbone, "pooling", "as the backbone says")
        self.name = f"pooled ({pooling}){plain}"

    def frozen(
        self, inputs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes pooled states [B, d]."""
        stand_ins = {}
        if self._paths:
            weight, bias = map(self.model.get_parameter, self._paths)
            plain = (torch.ones_like(weight), torch.zeros_like(bias))
            stand_ins = dict(zip(self._paths, plain, strict=True))
        return functional_call(self.model, stand_ins, (inputs, lens))

    def finish(self, states: torch.Tensor) -> torch.Tensor:
        """Applies the final weight and bias to states [B, d]."""
        if not self._paths:
            return states
        weight, bias = map(self.model.get_parameter, self._paths)
        return states * weight + bias


class LayerCut(Cut):
    """The cut before a layer, or before the final LayerNorm.

    Arguments
    ---------
    model : PETLModel
        The model, on a lobe that has ``pool``.
    layer : int
        The first layer that trains; the number of layers for the final
        LayerNorm.
    """

    def __init__(self, model: Any, layer: int):
        super().__init__(model)
        if self.backbone.max_length is None:
            raise ValueError(
                "States at a layer are stored of clips of one length only: "
                "give the backbone a max_length, or set stored_states to null."
            )
        self._paths = run_after(model)[layer:]
        self.name = f"layer {layer}"

    def frozen(
        self, inputs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes what the layer reads, [B, T, d]; the rest does not run."""
        first = self.model.model.get_submodule(self._paths[0])
        return interrupt(first, lambda: self.model(inputs, lens))

    def finish(self, states: torch.Tensor) -> torch.Tensor:
        """Runs the layers from the cut on over [B, T, d], and pools."""
        hidden = states
        for path in self._paths:
            hidden, _ = split(self.model.model.get_submodule(path)(hidden))
        return self.backbone.pool(hidden)


class LayersCut(Cut):
    """The cut of a learner, which reads the states of all layers."""

    def __init__(self, model: Any):
        super().__init__(model)
        pooling = getattr(self.backbone, "pooling", "as the backbone says")
        pooled = model.learner.reads == "pooled"
        pooling = f" ({pooling})" if pooled else ""
        self.name = f"all layers, {model.learner.what}{pooling}"

    def frozen(
        self, inputs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes the states [B, S, T, d] of all layers."""
        return self.model.layer_states(inputs, lens)

    def finish(self, states: torch.Tensor) -> torch.Tensor:
        """Computes the learner's embeddings of states [B, S, T, d]."""
        return self.model.embed(states)


class _Reached(Exception):
    """Ends a forward pass at the cut."""


def interrupt(module: nn.Module, run: Callable[[], Any]) -> torch.Tensor:
    """Runs a model up to one of its modules.

    Arguments
    ---------
    module : torch.nn.Module
        Module that is not run any more.
    run : callable
        Runs the model.

    Returns
    -------
    torch.Tensor
        Hidden states [B, T, d] that the module would have read.

    Raises
    ------
    ValueError
        If the module is not called, or reads another tensor as well.

    Example
    -------
    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    >>> interrupt(model[1], lambda: model(torch.ones(1, 2, 2)))
    tensor([[1., 1., 1., 1.]])
    """
    found = []

    def keep(_, args, kwargs):
        """Keeps the module's input, and stops the model."""
        hidden = HIDDEN.get(args, kwargs)
        found.append(hidden)
        others = [
            value
            for value in (*args, *kwargs.values())
            if isinstance(value, torch.Tensor) and value is not hidden
        ]
        if others:
            raise ValueError(
                f"{type(module).__name__} reads more than the tokens, such as "
                "positions that the first layer made for all, so that the "
                "backbone cannot be cut there: set stored_states to null."
            )
        raise _Reached

    handle = module.register_forward_pre_hook(keep, with_kwargs=True)
    try:
        run()
    except _Reached:
        return found[0]
    finally:
        handle.remove()
    raise ValueError(
        f"{type(module).__name__} was not called, so that the backbone cannot "
        "be cut there: set stored_states to null."
    )


def run_after(model: Any) -> list[str]:
    """Lists the paths of all layers, and of the final LayerNorm if any."""
    layers = [site for site in model.sites if site.role == "layer"]
    layers.sort(key=lambda site: site.layer)
    final = [site for site in model.sites if site.role == "norm_final"]
    return [site.path for site in (*layers, *final)]


def find_cut(model: Any) -> Cut:
    """Finds the cut of a model by the names of what trains.

    Arguments
    ---------
    model : PETLModel
        The model.

    Returns
    -------
    Cut

    Raises
    ------
    ValueError
        If something trains before the second layer, naming it, or anything
        that is frozen is random in training.
    """
    if not isinstance(model.model, Backbone):
        raise ValueError(
            f"States of {type(model.model).__name__} cannot be stored: make "
            "the PETLModel of one of the library's backbones, such as AST."
        )
    if model.frozen_in_train_mode:
        raise ValueError(
            "With frozen_in_train_mode the backbone is random in training, "
            "and its states cannot be stored: set stored_states to null."
        )
    trained = set(model.delta())
    if model.learner is not None:
        inside = sorted(n for n in trained if not n.startswith("learner."))
        if not inside:
            return LayersCut(model)
        raise ValueError(
            f"A learner reads the states of all layers, in which '{inside[0]}' "
            "trains: set stored_states to null."
        )
    if not trained - set(FINAL) and (not trained or model.model.pools_linearly):
        return PooledCut(model)
    n_layers = len([site for site in model.sites if site.role == "layer"])
    first = min(trained, key=lambda name: (_layer(name, n_layers), name))
    layer = _layer(first, n_layers)
    if layer < 1:
        more = len(trained) - 1
        raise ValueError(
            f"'{first}' and {more} more tensors train, so that nothing "
            "worth storing comes before the first of them: let adapters and "
            "LayerNorms begin at a later layer (first_layer), or set "
            "stored_states to null."
        )
    return LayerCut(model, layer)


def _layer(name: str, n_layers: int) -> int:
    """Returns the layer of a tensor; -1 for what precedes all layers."""
    layer = layer_of(name)
    if layer is not None:
        return layer
    return n_layers if name.startswith("norm_final.") else -1
