"""PEFT's own layers at our sites: LoRA's family from Hugging Face's library."""

import copy
from collections.abc import Callable

import torch
from torch import nn


class PEFTLayer(nn.Module):
    """Any adapter of the ``peft`` library that replaces one linear layer.

    LoRA, DoRA (``use_dora``), rsLoRA, IA3, VeRA, ... For the sites ``query``,
    ``key``, ``value``, ``output``, ``ffn_up`` and ``ffn_down``. In a YAML::

        query: !name:speechbrain_petl.lobes.peft.PEFTLayer
            config: !name:peft.LoraConfig
                r: 8
                use_dora: True

    VeRA's frozen projections are the same at all sites, but are kept, and
    saved, at each: ``save_projection: False`` draws them again by their seed.

    Arguments
    ---------
    target : torch.nn.Linear
        The layer.
    config : callable
        A configuration class of ``peft`` with all its options but
        ``target_modules``.

    Raises
    ------
    ValueError
        If ``peft`` is not installed, or the configuration is already made.

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
        super().__init__()
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
        # Not its injection alone, which some of its methods do not know.
        get_peft_model(holder, config(target_modules=["layer"]))
        self.layer = holder["layer"]

    def forward(self, x):
        """What the adapted layer gives."""
        return self.layer(x)

    @torch.no_grad()
    def merge(self) -> nn.Module:
        """A plain linear layer that computes the same, apart from dropout."""
        layer = copy.deepcopy(self.layer)
        layer.merge()
        return layer.get_base_layer()
