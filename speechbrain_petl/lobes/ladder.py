"""Ladder side tuning (Sung et al., arXiv 2206.06522).

A narrow transformer runs beside the frozen backbone. Its layer l reads

    mu_l * D_l(h_l) + (1 - mu_l) * s_(l-1),    mu_l = sigmoid(a_l / 0.1),

with h_l the backbone's state behind layer l, D_l a linear layer down to the
side's width, s the side's states, and a_l trained from 0. The authors start
the side network with a pruned copy of the backbone; here it starts at random.
"""

import torch
from speechbrain_petl.lobes.learners import Learner
from torch import nn
from torch.nn.functional import gelu, scaled_dot_product_attention

TEMPERATURE = 0.1  # of the gates


class SideLayer(nn.Module):
    """A small transformer layer, with norms before its sub-layers.

    Arguments
    ---------
    size : int
        Size of its tokens.
    heads : int
        Number of attention heads.

    Example
    -------
    >>> SideLayer(8, 2)(torch.rand(2, 5, 8)).shape
    torch.Size([2, 5, 8])
    """

    def __init__(self, size: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm_mhsa = nn.LayerNorm(size)
        # Without biases: softmax does not see the key's.
        self.qkv = nn.Linear(size, 3 * size, bias=False)
        self.out = nn.Linear(size, size)
        self.norm_ffn = nn.LayerNorm(size)
        self.up = nn.Linear(size, 4 * size)
        self.down = nn.Linear(4 * size, size)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Maps [B, T, size] to the same."""
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in self.qkv(self.norm_mhsa(tokens)).chunk(3, dim=-1)
        )
        mixed = scaled_dot_product_attention(query, key, value)
        tokens = tokens + self.out(mixed.transpose(1, 2).flatten(2))
        return tokens + self.down(gelu(self.up(self.norm_ffn(tokens))))


class Ladder(Learner):
    """A side network that reads every token of every layer.

    Arguments
    ---------
    n_states, width, pooled_width, normalize
        See ``Learner``.
    reduction_rate : float
        Width of the backbone over that of the side network.
    heads : int
        Number of attention heads of a side layer.

    Raises
    ------
    ValueError
        If the side's width is no multiple of the heads.

    Example
    -------
    >>> ladder = Ladder(3, 64, 64, heads=2)
    >>> ladder(torch.ones(2, 3, 5, 64)).shape
    torch.Size([2, 5, 64])
    """

    def __init__(
        self,
        n_states: int,
        width: int,
        pooled_width: int,
        normalize: bool = True,
        reduction_rate: float = 8,
        heads: int = 4,
    ):
        super().__init__(n_states, width, pooled_width, "tokens", normalize)
        size = int(width / reduction_rate)
        if size < heads or size % heads:
            raise ValueError(
                f"The side network is {size} wide (width {width}, "
                f"reduction_rate {reduction_rate}), which {heads} heads do "
                "not divide: give other heads or another reduction_rate."
            )
        self.down = nn.ModuleList(
            nn.Linear(width, size) for _ in range(n_states)
        )
        self.gates = nn.Parameter(torch.zeros(n_states - 1))
        self.layers = nn.ModuleList(
            SideLayer(size, heads) for _ in range(n_states - 1)
        )
        self.norm = nn.LayerNorm(size)
        self.up = nn.Linear(size, width)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Maps states [B, S, T, d] to [B, T, d]."""
        first, *others = states.unbind(1)
        side = self.down[0](first)
        gates = (self.gates / TEMPERATURE).sigmoid()
        for i, state in enumerate(others):
            gate = gates[i].to(side.dtype)
            rung = gate * self.down[i + 1](state) + (1 - gate) * side
            side = self.layers[i](rung)
        return self.up(self.norm(side))
