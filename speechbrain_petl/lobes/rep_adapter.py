"""RepAdapter: a linear adapter that folds into its layers (arXiv 2302.08106)."""

from collections.abc import Iterator
from typing import Any

import torch
from speechbrain_petl.lobes.share import share
from speechbrain_petl.lobes.sites import copy_info, setattr_module, site_info
from speechbrain_petl.lobes.wrapper import HIDDEN, Wrapper, width
from torch import nn

# The linear layers that read what a sub-layer reads
READERS = {"mhsa": ("query", "key", "value"), "ffn": ("ffn_up",)}


class RepAdapter(Wrapper):
    """A sub-layer behind a linear adapter: ``f(n + scale * up(down(n)))``.

    Without a non-linearity the adapter is an affine map, ``n -> M n + c``, and
    costs nothing once trained: ``merge()`` folds it into the linear layers
    that read n, by ``W' = W M`` and ``b' = W c + b``. ``up`` is divided into
    groups, each of which sees its share of the units, and starts at zero.

    Arguments
    ---------
    target : torch.nn.Module
        The sub-layer, at ``mhsa`` or ``ffn``; its first argument is the
        hidden states [B, T, d].
    units : int
        Width of the bottleneck.
    groups : int
        Number of groups of ``up``; divides the units and d.
    scale : float
        Factor of the adapter's output.
    dropout : float
        Probability of dropping a unit in training.

    Raises
    ------
    ValueError
        If the groups do not divide the units and d.

    Example
    -------
    >>> layer = RepAdapter(nn.Linear(64, 64), units=8)
    >>> x = torch.rand(2, 5, 64)
    >>> torch.equal(layer(x), layer.target(x))
    True
    """

    def __init__(
        self,
        target: nn.Module,
        units: int = 8,
        groups: int = 2,
        scale: float = 1.0,
        dropout: float = 0.1,
    ):
        super().__init__(target)
        d = width(target)
        if groups < 1 or units < 1 or units % groups or d % groups:
            raise ValueError(
                f"{groups} groups do not divide {units} units and {d} "
                "features: choose others."
            )
        self.scale = scale
        self.dropout = nn.Dropout(dropout)
        self.down = nn.Linear(d, units)
        self.up = nn.Conv1d(units, d, 1, groups=groups)
        nn.init.xavier_uniform_(self.down.weight)
        for zero in (self.down.bias, *self.up.parameters()):
            nn.init.zeros_(zero)

    def adapt(self, hidden: torch.Tensor) -> torch.Tensor:
        """Adapts the hidden states [B, T, d] in front of the sub-layer."""
        units = self.dropout(self.down(hidden))
        return hidden + self.scale * self.up(units.mT).mT

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the sub-layer on adapted hidden states [B, T, d]."""
        adapted = self.adapt(HIDDEN.get(args, kwargs))
        args, kwargs = HIDDEN.set(args, kwargs, adapted)
        return self.target(*args, **kwargs)

    @torch.no_grad()
    def merge(self) -> nn.Module:
        """Returns the sub-layer with the adapter in its linear layers.

        Raises
        ------
        ValueError
            If anything else may read the hidden states: another wrapper, or a
            part that the table of sites does not know.
        """
        target = share(self.target)
        for parent, name, linear in list(self._readers(target)):
            setattr_module(parent, name, self._folded(linear))
        return target

    def _readers(
        self, target: nn.Module
    ) -> Iterator[tuple[nn.Module, str, nn.Linear]]:
        """Yields the linear layers that read the input, and where they are."""
        info = site_info(target)
        roles = READERS.get(info.role, ()) if info else ()
        if not roles:
            raise ValueError(
                f"RepAdapter over {type(target).__name__} cannot be merged: it "
                f"belongs at {' or '.join(READERS)}, below all other wrappers."
            )
        for parent in target.modules():
            for name, part in parent.named_children():
                found = site_info(part)
                if found and found.role in roles and type(part) is nn.Linear:
                    yield parent, name, part
                elif not found and list(part.parameters(recurse=False)):
                    raise ValueError(
                        f"RepAdapter cannot be merged, since '{name}' of "
                        f"{type(parent).__name__} may read the hidden states "
                        "too."
                    )

    def _folded(self, linear: nn.Linear) -> nn.Linear:
        """Returns a linear layer of adapted hidden states."""
        kind = linear.weight.dtype
        eye = torch.eye(linear.in_features, device=linear.weight.device)
        zero = torch.zeros_like(eye[:1])
        was_training = self.dropout.training
        self.dropout.eval()
        # An affine map is known by its values at 0 and the unit vectors.
        offset = self.adapt(zero[None])[0]
        columns = self.adapt(eye[None])[0] - offset
        self.dropout.train(was_training)
        weight = linear.weight.float()
        bias = (weight @ offset[0]) + (
            0 if linear.bias is None else linear.bias
        )
        n_out, n_in = weight.shape
        merged = nn.Linear(n_in, n_out, device="meta")
        merged.weight = nn.Parameter(
            (weight @ columns.mT).to(kind), requires_grad=False
        )
        merged.bias = nn.Parameter(bias.to(kind), requires_grad=False)
        copy_info(linear, merged)
        return merged
