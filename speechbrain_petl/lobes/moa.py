"""Mixtures of adapters: several adapters at one site, weighted per token."""

from collections.abc import Callable

import torch
from speechbrain_petl.lobes.stacking import run_experts, stack_experts
from torch import nn
from torch.nn.functional import normalize as unit

PHI_AXES = {"width": 0, "experts": 1}


class DenseMoA(nn.Module):
    """Dense mixture of adapters: every token reads every expert.

    ``sum_n w_n(x) A_n(x)`` with ``w(x) = softmax(router(x))``, the router a
    linear layer with bias: Cappellazzo et al., arXiv 2402.00828. Goes
    wherever an adapter goes, inside ``Parallel`` or ``Sequential``. All N
    outputs are held at once: N times an adapter's memory.

    Arguments
    ---------
    width : int
        Size d of input and output.
    expert : callable
        Function from d to one expert, any adapter.
    n_experts : int
        Number N of experts.

    Raises
    ------
    ValueError
        If ``n_experts`` is below 1.

    Example
    -------
    >>> from speechbrain_petl.lobes.adapters import Bottleneck
    >>> moa = DenseMoA(64, Bottleneck, n_experts=3)
    >>> x = torch.rand(2, 10, 64)
    >>> moa(x).shape
    torch.Size([2, 10, 64])
    >>> moa.weights(x).shape, moa.experts.down.weight.shape
    (torch.Size([2, 10, 3]), torch.Size([3, 1, 64]))
    """

    def __init__(
        self,
        width: int,
        expert: Callable[[int], nn.Module],
        n_experts: int = 7,
    ):
        super().__init__()
        self.experts = stack_experts(expert, width, n_experts)
        self.router = nn.Linear(width, n_experts)
        nn.init.trunc_normal_(self.router.weight, std=0.02)
        nn.init.zeros_(self.router.bias)

    def weights(self, x: torch.Tensor) -> torch.Tensor:
        """Computes the weight [B, T, N] of each expert in each token [B, T, d]."""
        return self.router(x).softmax(dim=-1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Adapts [B, T, d]."""
        outputs = run_experts(self.experts, x, shared=True)
        return torch.einsum("btn,nbtd->btd", self.weights(x), outputs)


class SoftMoA(nn.Module):
    """Soft mixture of adapters: experts read a few mixed tokens ("slots").

    With slots ``Phi`` in R^{d x N x p} and ``logits = X Phi``, each slot is a
    mean of the tokens, weighted by the softmax of the logits over the tokens;
    expert n maps its p slots; each token is a mean of all N p mapped slots,
    weighted by the softmax of its logits over them. Puigcerver et al., arXiv
    2308.00951, with adapters as experts in arXiv 2402.00828. Goes wherever
    an adapter goes, inside ``Parallel`` or ``Sequential``.

    With ``normalize``, the logits are ``unit(X) (scale * unit(Phi))``, both
    of unit L2 norm over d, with a learned scale. The reference code differs
    twice, each by an option: it normalizes Phi over the experts
    (``phi_axis="experts"``), and its slots are means of the unit-norm tokens
    (``unit_slots=True``), so that experts read vectors of norm 1 at most.

    Arguments
    ---------
    width : int
        Size d of input and output.
    expert : callable
        Function from d to one expert, any adapter; it reads [B, p, d].
    n_experts : int
        Number N of experts.
    slots : int
        Number p of slots of an expert.
    normalize : bool
        If True, computes the logits from normalized vectors.
    phi_axis : str
        Axis over which Phi is normalized: ``width`` or, legacy, ``experts``.
    unit_slots : bool
        Legacy: if True, slots are means of normalized tokens.

    Raises
    ------
    ValueError
        If ``n_experts`` or ``slots`` is below 1, ``phi_axis`` is unknown, or a
        legacy option comes without ``normalize``.

    Example
    -------
    >>> from speechbrain_petl.lobes.adapters import Bottleneck
    >>> moa = SoftMoA(64, Bottleneck, n_experts=3, slots=2)
    >>> x = torch.rand(2, 10, 64)
    >>> moa(x).shape
    torch.Size([2, 10, 64])
    >>> moa.weights(x).shape
    torch.Size([2, 10, 3, 2])
    """

    def __init__(
        self,
        width: int,
        expert: Callable[[int], nn.Module],
        n_experts: int = 7,
        slots: int = 1,
        normalize: bool = False,
        phi_axis: str = "width",
        unit_slots: bool = False,
    ):
        super().__init__()
        if slots < 1:
            raise ValueError(f"slots is {slots}: give at least 1.")
        if phi_axis not in PHI_AXES:
            raise ValueError(
                f"phi_axis is 'width' or 'experts', not '{phi_axis}'."
            )
        if not normalize and (phi_axis != "width" or unit_slots):
            raise ValueError(
                "phi_axis and unit_slots say how to normalize: set "
                "normalize: True with them."
            )
        self.experts = stack_experts(expert, width, n_experts)
        self.phi = nn.Parameter(torch.empty(width, n_experts, slots))
        nn.init.xavier_normal_(self.phi)
        if normalize:
            self.scale = nn.Parameter(torch.ones(()))
        self.normalize = normalize
        self.phi_axis = PHI_AXES[phi_axis]
        self.unit_slots = unit_slots

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """Computes the affinity [B, T, N, p] of slots and tokens [B, T, d]."""
        phi: torch.Tensor = self.phi
        if self.normalize:
            x, phi = unit(x, dim=-1), self.scale * unit(phi, dim=self.phi_axis)
        return torch.einsum("btd,dnp->btnp", x, phi)

    def weights(self, x: torch.Tensor) -> torch.Tensor:
        """Computes the weight [B, T, N, p] of each slot in tokens [B, T, d]."""
        return _combine(self.logits(x))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Adapts [B, T, d]."""
        logits = self.logits(x)
        read = unit(x, dim=-1) if self.unit_slots else x
        slots = torch.einsum("btnp,btd->nbpd", logits.softmax(dim=1), read)
        outputs = run_experts(self.experts, slots)
        return torch.einsum("btnp,nbpd->btd", _combine(logits), outputs)


def _combine(logits: torch.Tensor) -> torch.Tensor:
    """Applies the softmax over all slots to [B, T, N, p]."""
    return logits.flatten(2).softmax(dim=-1).view_as(logits)
