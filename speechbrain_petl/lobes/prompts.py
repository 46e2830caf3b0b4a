"""Prompts: trained tokens, or a trained frame, added to what a layer reads.

Visual prompt tuning (arXiv 2203.12119) for the AST, as in arXiv 2312.03694,
and the prompts of IPET (arXiv 2211.02227).
"""

import math

import torch
from speechbrain_petl.lobes.insertion import join, split, width
from torch import nn

N_SPECIAL = 2  # [CLS] and the distillation token come before all others


def new_prompts(n_prompts: int, size: int) -> nn.Parameter:
    """Prompts [n_prompts, size], uniform as in visual prompt tuning.

    Within ``+- sqrt(6 / (3 * 16 * 16 + size))``; the 3 stands for the colours
    of the images that this rule was made for.

    Raises
    ------
    ValueError
        If there would be no prompt.
    """
    if n_prompts < 1:
        raise ValueError(f"n_prompts is {n_prompts}: give at least 1.")
    bound = math.sqrt(6 / (3 * 16 * 16 + size))
    return nn.Parameter(torch.empty(n_prompts, size).uniform_(-bound, bound))


def expand(prompts: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Prompts [n, d] for each clip of [B, T, d], in its type."""
    return prompts.to(like.dtype).expand(like.shape[0], -1, -1)


def widen(mask: torch.Tensor | None, first: int, last: int):
    """An attention mask [B, heads, T, T] that also sees new rows.

    The backbone makes one, all visible, when it is compiled or exported.

    Arguments
    ---------
    mask : torch.Tensor, optional
        Boolean, or added to the scores.
    first, last : int
        Number of new rows before and after the others.

    Example
    -------
    >>> widen(torch.ones(1, 1, 5, 5, dtype=torch.bool), 2, 0).shape
    torch.Size([1, 1, 7, 7])
    """
    if mask is None:
        return None
    visible = mask.dtype == torch.bool
    size = (first, last, first, last)
    return nn.functional.pad(mask, size, value=visible)


class Prompts(nn.Module):
    """Trained tokens after the special ones: ``[CLS, dist, prompts, patches]``.

    Shallow prompt tuning, at the site ``tokens``. Prompts have no position
    embedding. The reference code dropped the distillation token in its prompt
    methods only; ``drop_distillation`` does that.

    Arguments
    ---------
    target : torch.nn.Module
        The embeddings: from features to tokens [B, T, d].
    n_prompts : int
        Number of prompts.
    drop_distillation : bool
        Leave out the distillation token.

    Example
    -------
    >>> from transformers import ASTConfig, ASTModel
    >>> ast = ASTModel(ASTConfig(num_hidden_layers=1, max_length=100))
    >>> Prompts(ast.embeddings, 25)(torch.rand(2, 100, 128)).shape
    torch.Size([2, 135, 768])
    """

    identity_at_start = False

    def __init__(
        self,
        target: nn.Module,
        n_prompts: int,
        drop_distillation: bool = False,
    ):
        super().__init__()
        self.target = target
        self.n_prompts = n_prompts
        self.drop_distillation = drop_distillation
        self.n_special = N_SPECIAL - drop_distillation
        self.prompts = new_prompts(n_prompts, width(target))

    def forward(self, *args, **kwargs) -> torch.Tensor:
        """Tokens [B, T + n_prompts, d]."""
        tokens = self.target(*args, **kwargs)
        special = tokens[:, : self.n_special]
        patches = tokens[:, N_SPECIAL:]
        prompts = expand(self.prompts, tokens)
        return torch.cat([special, prompts, patches], dim=1)


class DeepPrompts(nn.Module):
    """Puts a layer's own prompts in the place of those that came in.

    Deep prompt tuning: at ``layer[1:]``, with ``Prompts`` at ``tokens`` for
    the first layer.

    Arguments
    ---------
    target : torch.nn.Module
        The layer, on [B, T, d].
    n_prompts : int
        Number of prompts, the same as at ``tokens``.
    drop_distillation : bool
        As at ``tokens``.

    Example
    -------
    >>> from transformers import ASTConfig, ASTModel
    >>> ast = ASTModel(ASTConfig(num_hidden_layers=1, max_length=100))
    >>> DeepPrompts(ast.layers[0], 25)(torch.rand(2, 135, 768)).shape
    torch.Size([2, 135, 768])
    """

    identity_at_start = False

    def __init__(
        self,
        target: nn.Module,
        n_prompts: int,
        drop_distillation: bool = False,
    ):
        super().__init__()
        self.target = target
        self.n_prompts = n_prompts
        self.drop_distillation = drop_distillation
        self.n_special = N_SPECIAL - drop_distillation
        self.prompts = new_prompts(n_prompts, width(target))

    def needs(self) -> dict:
        """``Prompts`` with the same options at ``tokens``."""
        options = ("n_prompts", "drop_distillation")
        same = {name: getattr(self, name) for name in options}
        return {"tokens": (Prompts, same)}

    def forward(self, hidden, *args, **kwargs):
        """Runs the layer on [B, T, d] with its own prompts."""
        special = hidden[:, : self.n_special]
        patches = hidden[:, self.n_special + len(self.prompts) :]
        prompts = expand(self.prompts, hidden)
        hidden = torch.cat([special, prompts, patches], dim=1)
        return self.target(hidden, *args, **kwargs)


class PassingPrompts(nn.Module):
    """Trained tokens that a layer sees and that are taken off after it.

    IPET's embedding prompts, at every ``layer``.

    Arguments
    ---------
    target : torch.nn.Module
        The layer, on [B, T, d].
    n_prompts : int
        Number of prompts.

    Example
    -------
    >>> from transformers import ASTConfig, ASTModel
    >>> ast = ASTModel(ASTConfig(num_hidden_layers=1, max_length=100))
    >>> PassingPrompts(ast.layers[0], 4)(torch.rand(2, 110, 768)).shape
    torch.Size([2, 110, 768])
    """

    identity_at_start = False

    def __init__(self, target: nn.Module, n_prompts: int):
        super().__init__()
        self.target = target
        self.prompts = new_prompts(n_prompts, width(target))

    def forward(self, hidden, mask=None, **kwargs):
        """Runs the layer on [B, n_prompts + T, d] and gives [B, T, d]."""
        n_prompts = len(self.prompts)
        hidden = torch.cat([expand(self.prompts, hidden), hidden], dim=1)
        mask = widen(mask, n_prompts, 0)
        output, rest = split(self.target(hidden, mask, **kwargs))
        return join(output[:, n_prompts:], rest)


class InputPrompt(nn.Module):
    """A trained frame around the spectrogram: IPET's input prompt.

    At ``tokens``: ``x + frame`` before the patches are cut, zero at the start
    and zero inside. Visual prompting, arXiv 2203.17274.

    Arguments
    ---------
    target : torch.nn.Module
        The embeddings: from features [B, frames, mels] to tokens.
    frames, mels : int
        Size of the spectrogram.
    border : int
        Width of the frame in frames and mel bins.

    Raises
    ------
    ValueError
        If the frame does not fit into the spectrogram, or the spectrogram is
        of another size.

    Example
    -------
    >>> from transformers import ASTConfig, ASTModel
    >>> ast = ASTModel(ASTConfig(num_hidden_layers=1, max_length=100))
    >>> prompt = InputPrompt(ast.embeddings, frames=100, border=8)
    >>> sum(p.numel() for n, p in prompt.named_parameters(recurse=False))
    3392
    """

    def __init__(
        self,
        target: nn.Module,
        frames: int,
        mels: int = 128,
        border: int = 16,
    ):
        super().__init__()
        if border < 1 or 2 * border >= min(frames, mels):
            raise ValueError(
                f"border is {border}, but a frame around {frames} frames of "
                f"{mels} bins is between 1 and {(min(frames, mels) - 1) // 2} "
                "wide."
            )
        self.target = target
        self.ends = nn.Parameter(torch.zeros(2, border, mels))
        self.sides = nn.Parameter(torch.zeros(2, frames - 2 * border, border))

    def frame(self) -> torch.Tensor:
        """The frame [frames, mels], zero inside."""
        low, high = self.sides
        inside = low.new_zeros(len(low), self.ends.shape[2] - 2 * low.shape[1])
        middle = torch.cat([low, inside, high], dim=1)
        return torch.cat([self.ends[0], middle, self.ends[1]], dim=0)

    def forward(self, feats, *args, **kwargs):
        """Tokens of framed features [B, frames, mels]."""
        frame = self.frame()
        if feats.shape[1:] != frame.shape:
            raise ValueError(
                f"The features have {feats.shape[1]} frames of "
                f"{feats.shape[2]} bins, but InputPrompt was made for "
                f"{len(frame)} frames of {frame.shape[1]} bins."
            )
        return self.target(feats + frame, *args, **kwargs)
