"""PEFT's own layers at our sites: LoRA's family from Hugging Face's library."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from speechbrain_petl.lobes.share import protect, share
from speechbrain_petl.lobes.wrapper import Wrapper
from torch import nn


class PEFTLayer(Wrapper):
    """Any adapter of the ``peft`` library that replaces one linear layer.

    LoRA, DoRA (``use_dora``), rsLoRA, IA3, VeRA, ... For the sites ``query``,
    ``key``, ``value``, ``output``, ``ffn_up`` and ``ffn_down``. In a YAML::

        query: !name:speechbrain_petl.lobes.peft.PEFTLayer
            config: !name:peft.LoraConfig
                r: 8
                use_dora: True

    VeRA's frozen projections are the same at all sites, but are kept, and
    saved, at each: ``save_projection: False`` draws them again by their seed.

    Some initializations (PiSSA, OLoRA, ...) change the layer itself. Then this
    wrapper owns a changed copy, which is saved too, d * d numbers at each
    site, and the backbone stays as it is for other models.

    Arguments
    ---------
    target : torch.nn.Linear
        Layer to adapt.
    config : callable
        A configuration class of ``peft`` with all its options but
        ``target_modules``.

    Raises
    ------
    ValueError
        If ``peft`` is not installed, the configuration is already made, or
        ``peft`` refuses the layer.

    Example
    -------
    >>> from functools import partial
    >>> import peft, torch
    >>> layer = nn.Linear(8, 8)
    >>> dora = PEFTLayer(layer, partial(peft.LoraConfig, r=2, use_dora=True))
    >>> x = torch.rand(3, 8)
    >>> torch.allclose(dora(x), layer(x), atol=1e-6)
    True
    """

    def __init__(self, target: nn.Module, config: Callable):
        super().__init__(target)
        try:
            from peft import get_peft_model
        except ImportError as error:
            raise ValueError(
                "PEFTLayer needs the peft library: pip install peft."
            ) from error
        if not callable(config):
            raise ValueError(
                "config is a class of peft that is yet to be called, "
                f"'!name:peft.{type(config).__name__}' in a YAML, not '!new:'."
            )
        holder = nn.ModuleDict({"layer": target})
        with protect(target) as changed:
            # Not its injection alone, which some of its methods do not know.
            get_peft_model(holder, config(target_modules=["layer"]))
        self.layer: Any = holder["layer"]
        if changed:
            self.layer.base_layer = _changed_copy(target, changed)
        del self.target  # it is in peft's layer

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the adapted layer."""
        return self.layer(*args, **kwargs)

    @torch.no_grad()
    def merge(self) -> nn.Module:
        """Returns a plain layer that computes the same, apart from dropout."""
        layer = copy.deepcopy(self.layer)
        layer.merge()
        return layer.get_base_layer()


def _changed_copy(target: nn.Module, changed: dict) -> nn.Module:
    """Returns a layer with some tensors of its own and new values in them."""
    tensors = dict(target.named_parameters())
    copied = share(target, own=[tensors[name] for name in changed])
    for name, value in changed.items():
        parameter = copied.get_parameter(name)
        parameter.data = value
        parameter.requires_grad_(False)
    return copied
