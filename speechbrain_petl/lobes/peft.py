"""PEFT's own layers at our sites: LoRA's family from Hugging Face's library."""

from collections.abc import Callable

from torch import nn


class PEFTLayer(nn.Module):
    """Any adapter of the ``peft`` library that replaces one linear layer.

    LoRA, DoRA (``use_dora``), rsLoRA, IA3, VeRA, ... For the sites ``query``,
    ``key``, ``value``, ``output``, ``ffn_up`` and ``ffn_down``. In a YAML::

        query: !name:speechbrain_petl.lobes.peft.PEFTLayer
            config: !name:peft.LoraConfig
                r: 8
                use_dora: True

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
        If ``peft`` is not installed.

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
        holder = nn.ModuleDict({"layer": target})
        # Not its injection alone, which some of its methods do not know.
        self.adapted = get_peft_model(holder, config(target_modules=["layer"]))

    def forward(self, x):
        """What the adapted layer gives."""
        return self.adapted.base_model.model["layer"](x)
