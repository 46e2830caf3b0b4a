"""Mixup: training clips are mixed in pairs, and so are their labels.

mixup: Beyond Empirical Risk Minimization, arXiv 1710.09412.
"""

import torch
from torch import nn


class Mixup(nn.Module):
    """Mixes waveforms of a batch and their targets.

    With probability p a clip x_i becomes w x_i + (1 - w) x_j, and its target
    y_i, as shares of the classes, w y_i + (1 - w) y_j. The weight w is drawn
    from Beta(a, a) for each clip, and j uniformly among the other clips of
    the batch. x_j is cut or padded with zeros to the length of x_i, which
    stays. Random numbers come from PyTorch's global generator on the CPU.

    Arguments
    ---------
    probability : float
        p, from 0 to 1; at 0 everything stays as it is and nothing is drawn.
    alpha : float
        a, above 0: the larger, the nearer w is to 1 / 2.

    Raises
    ------
    ValueError
        If a value is out of range.

    Example
    -------
    >>> _ = torch.manual_seed(0)
    >>> wavs, lens = torch.eye(2), torch.ones(2)
    >>> mixed, targets = Mixup(1.0)(wavs, lens, torch.tensor([0, 1]), 2)
    >>> torch.equal(mixed, targets), (targets.sum(dim=1) == 1).all().item()
    (True, True)
    """

    def __init__(self, probability: float = 0.0, alpha: float = 10.0):
        super().__init__()
        if not 0 <= probability <= 1:
            raise ValueError(
                f"mixup is {probability}, but a probability is from 0 (no clip "
                "is mixed) to 1 (all are)."
            )
        if not 0 < alpha < float("inf"):
            raise ValueError(
                f"mixup_alpha is {alpha}, but the parameter of a Beta "
                "distribution is above 0 and finite."
            )
        self.probability = probability
        self.alpha = alpha

    def forward(
        self,
        wavs: torch.Tensor,
        lens: torch.Tensor,
        targets: torch.Tensor,
        n_classes: int,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mixes a batch.

        Arguments
        ---------
        wavs : torch.Tensor
            Waveforms [B, samples], zero-padded to the longest.
        lens : torch.Tensor
            Relative lengths [B].
        targets : torch.Tensor
            Indices [B] of the classes, or shares [B, classes] of them.
        n_classes : int
            Number of classes.

        Returns
        -------
        wavs : torch.Tensor
            Mixed waveforms [B, samples]; the lengths hold.
        targets : torch.Tensor
            Shares [B, classes] of the classes; as given with probability 0.
        """
        if not self.probability:
            return wavs, targets
        if targets.dim() == 1:
            targets = nn.functional.one_hot(targets, n_classes)
        shares = targets.to(wavs.dtype)
        n = len(wavs)
        if n < 2:  # there is no other clip
            return wavs, shares
        weights = torch.distributions.Beta(self.alpha, self.alpha).sample((n,))
        others = (torch.arange(n) + torch.randint(1, n, (n,))) % n
        mixed = (torch.rand(n) < self.probability)[:, None].to(wavs.device)
        weights = weights.to(wavs)[:, None]
        others = others.to(wavs.device)
        ends = (lens.to(wavs) * wavs.shape[1]).round()[:, None]
        inside = torch.arange(wavs.shape[1], device=wavs.device) < ends
        sums = weights * wavs + (1 - weights) * wavs[others] * inside
        blends = weights * shares + (1 - weights) * shares[others]
        # Not by weights of 1: what is not finite would reach all clips.
        return wavs.where(~mixed, sums), shares.where(~mixed, blends)


def refuse_stored(mix: Mixup) -> None:
    """Refuses to mix the clips of a run that stores their states.

    Raises
    ------
    ValueError
        If clips are to be mixed.

    Example
    -------
    >>> refuse_stored(Mixup(0.0))
    """
    if mix.probability:
        raise ValueError(
            f"mixup is {mix.probability}, but with stored_states the "
            "backbone sees each clip once, before any is mixed: set mixup to "
            "0 or stored_states to null."
        )
