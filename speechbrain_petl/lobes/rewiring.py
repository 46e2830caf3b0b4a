"""Stock modules that hide a site compute the same through parts that can be wrapped.

Some stock modules read the weights of a part and never call it (WavLM's
attention), or have no module where a site is (Whisper's feed-forward network
is two layers of a block). Nothing could be wrapped there, or a wrapper would
change nothing without a word. In a ``PETLModel``'s own copy such modules
become instances of a subclass, with the same tensors and the same result; the
backbone itself stays as it is.

The row of a family names the module of this library that knows how: its
``REWIRED`` maps the name of a stock class to a subclass with two methods,
``rewire()`` and ``undo()``, which arrange the parts after the change of class
and before the change back.
"""

import importlib
from collections.abc import Iterator
from typing import Any

from speechbrain_petl.lobes.sites import Found
from torch import nn


def rewire(found: Found) -> bool:
    """Makes a backbone's hidden sites accessible, in place.

    Arguments
    ---------
    found : Found
        Backbone that nobody else uses.

    Returns
    -------
    bool
        True if a module changed.

    Example
    -------
    >>> from speechbrain_petl.lobes.sites import find_backbone
    >>> from transformers import WavLMConfig, WavLMModel
    >>> sizes = {"hidden_size": 48, "num_attention_heads": 4}
    >>> wavlm = WavLMModel(WavLMConfig(num_hidden_layers=1, **sizes))
    >>> rewire(find_backbone(wavlm)), rewire(find_backbone(wavlm))
    (True, False)
    >>> type(wavlm.encoder.layers[0].attention).__name__
    'CallingAttention'
    >>> undo(find_backbone(wavlm))
    >>> type(wavlm.encoder.layers[0].attention).__name__
    'WavLMAttention'
    """
    changed = False
    for module, kind in _rewired(found, stock=True):
        module.__class__ = kind
        kind.rewire(module)
        changed = True
    return changed


def undo(found: Found) -> None:
    """Turns all modules of a backbone into stock ones again, in place."""
    for module, kind in _rewired(found, stock=False):
        kind.undo(module)
        module.__class__ = kind.__mro__[1]


def _rewired(found: Found, stock: bool) -> Iterator[tuple[nn.Module, Any]]:
    """Iterates over the modules to change, with their new or present class."""
    if found.family.rewiring is None:
        return
    kinds = importlib.import_module(found.family.rewiring).REWIRED
    for module in list(found.model.modules()):
        kind = type(module)
        if stock and kind.__name__ in kinds:
            yield module, kinds[kind.__name__]
        elif not stock and kind in kinds.values():
            yield module, kind
