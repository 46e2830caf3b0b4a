"""Learners: what reads the states of all layers of a frozen backbone.

The states are the L + 1 hidden states that enter the L layers and leave the
last. Nothing of the backbone trains, so that training needs no backward pass
through it, and its states may be stored (see ``cut.LayersCut``):

==================  =====================================  ==================
class               paper                                  embedding
==================  =====================================  ==================
``WeightedSum``     SUPERB, arXiv 2105.01051               sum_l w_l h_l
``LAdapters``       Otake et al., arXiv 2212.02780         sum_l w_l A_l(h_l)
``ladder.Ladder``   Sung et al., arXiv 2206.06522          a side network
==================  =====================================  ==================

with w = softmax(trained weights).
"""

from collections.abc import Callable, Sequence

import torch
from speechbrain_petl.lobes.choices import READS
from torch import nn

Pool = Callable[[torch.Tensor], torch.Tensor]


class Learner(nn.Module):
    """Base class: from the states of a clip to its embedding.

    ``PETLModel`` makes it as ``Cls(n_states, width, pooled_width)``. A
    subclass maps states [B, S, T, d] to [B, T, size].

    Arguments
    ---------
    n_states : int
        Number S of states, one more than layers.
    width : int
        Size d of a token.
    pooled_width : int
        Size d of a pooled state.
    reads : str
        ``tokens``: the learner reads every token, and its output is pooled.
        ``pooled``: it reads the pooled states, of which there is one a layer
        and clip (T = 1).
    normalize : bool
        If True, normalizes each state to zero mean and unit variance before:
        without norms after the sub-layers, states of late layers are large.

    Raises
    ------
    ValueError
        If ``reads`` is neither.
    """

    identity_at_start = False

    def __init__(
        self,
        n_states: int,
        width: int,
        pooled_width: int,
        reads: str = "pooled",
        normalize: bool = True,
    ):
        super().__init__()
        if reads not in READS:
            raise ValueError(f"reads is pooled or tokens, not '{reads}'.")
        self.n_states = n_states
        self.reads = reads
        self.normalize = normalize
        self.width = width if reads == "tokens" else pooled_width
        self.pooled_ratio = pooled_width // width if reads == "tokens" else 1
        self.size = self.width

    @property
    def embedding_size(self) -> int:
        """Size of the embeddings."""
        return self.size * self.pooled_ratio

    @property
    def what(self) -> str:
        """What it reads, in a few words: learners that agree share states."""
        return f"{self.reads}{', normalized' if self.normalize else ''}"

    def prepare(
        self, states: Sequence[torch.Tensor], pool: Pool
    ) -> torch.Tensor:
        """Stacks states, normalized and pooled as this learner reads them.

        Arguments
        ---------
        states : sequence of torch.Tensor
            S hidden states [B, T, d].
        pool : callable
            From [B, T, d] to embeddings.

        Returns
        -------
        torch.Tensor
            States [B, S, T, d]; nothing here trains.
        """
        ready = []
        for state in states:
            state = state.float()
            if self.normalize:
                state = nn.functional.layer_norm(state, state.shape[-1:])
            ready.append(
                state if self.reads == "tokens" else pool(state)[:, None]
            )
        return torch.stack(ready, dim=1)

    def embed(self, states: torch.Tensor, pool: Pool) -> torch.Tensor:
        """Computes embeddings [B, embedding_size] of states [B, S, T, d]."""
        learned = self(states)
        return pool(learned) if self.reads == "tokens" else learned[:, 0]


class WeightedSum(Learner):
    """The weighted sum of all states, with weights that sum to 1.

    Arguments
    ---------
    n_states, width, pooled_width, reads, normalize
        See ``Learner``. With a mean as pooling, ``pooled`` and ``tokens``
        give the same.

    Example
    -------
    >>> learner = WeightedSum(3, 8, 8)
    >>> learner(torch.ones(2, 3, 1, 8)).shape
    torch.Size([2, 1, 8])
    """

    def __init__(
        self,
        n_states: int,
        width: int,
        pooled_width: int,
        reads: str = "pooled",
        normalize: bool = True,
    ):
        super().__init__(n_states, width, pooled_width, reads, normalize)
        self.weights = nn.Parameter(torch.zeros(n_states))

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Sums states [B, S, T, d] to [B, T, d]."""
        weights = self.weights.softmax(dim=0).to(states.dtype)
        return torch.einsum("bstd,s->btd", states, weights)


class LAdapters(Learner):
    """L-adapters: a small network behind each layer, and their weighted sum.

    Each is a linear layer, a non-linearity and a LayerNorm. The authors read
    tokens; read after pooling, the states of a clip are T times smaller.

    Arguments
    ---------
    n_states, width, pooled_width, reads, normalize
        See ``Learner``; the state that enters the first layer is not read.
    size : int
        Size of their outputs, and of the embeddings; the authors' is 512.
    activation : callable
        Makes the non-linearity.

    Raises
    ------
    ValueError
        If the size is below 1.

    Example
    -------
    >>> learner = LAdapters(3, 8, 8, size=4)
    >>> learner(torch.ones(2, 3, 1, 8)).shape
    torch.Size([2, 1, 4])
    """

    def __init__(
        self,
        n_states: int,
        width: int,
        pooled_width: int,
        reads: str = "pooled",
        normalize: bool = True,
        size: int = 512,
        activation: Callable[[], nn.Module] = nn.GELU,
    ):
        super().__init__(n_states, width, pooled_width, reads, normalize)
        if size < 1:
            raise ValueError(f"size is {size}: give at least 1.")
        self.size = size
        self.adapters = nn.ModuleList(
            nn.Sequential(
                nn.Linear(self.width, size), activation(), nn.LayerNorm(size)
            )
            for _ in range(n_states - 1)
        )
        self.weights = nn.Parameter(torch.zeros(n_states - 1))

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Maps states [B, S, T, d] to [B, T, size]."""
        adapted = torch.stack(
            [
                adapter(state)
                for adapter, state in zip(
                    self.adapters, states.unbind(1)[1:], strict=True
                )
            ]
        )
        weights = self.weights.softmax(dim=0).to(adapted.dtype)
        return torch.einsum("sbtd,s->btd", adapted, weights)
