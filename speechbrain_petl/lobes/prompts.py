"""Prompts: trained tokens, or a trained frame, added to what a layer reads.

Visual prompt tuning (arXiv 2203.12119) for the AST, as in arXiv 2312.03694,
and the prompts of IPET (arXiv 2211.02227).
"""

import math
from typing import Any

import torch
from speechbrain_petl.lobes.tokens import expand, new_prompts, widen
from speechbrain_petl.lobes.wrapper import (
    HIDDEN,
    INPUT,
    MASK,
    Need,
    Wrapper,
    innermost,
    join,
    special_tokens,
    split,
    width,
)
from torch import nn


class Prompts(Wrapper):
    """Trained tokens after the special ones: ``[CLS, dist, prompts, patches]``.

    Shallow prompt tuning, at the site ``tokens``. Prompts have no position
    embedding. The reference code dropped the distillation token in its prompt
    methods only; ``drop_distillation`` does that.

    Arguments
    ---------
    target : torch.nn.Module
        Embeddings: from the model's input to tokens [B, T, d].
    n_prompts : int
        Number of prompts.
    drop_distillation : bool
        If True, leaves out the last special token, AST's distillation token.
    n_special : int, optional
        Number of special tokens in front of the target's; by default, the
        backbone's.

    Raises
    ------
    ValueError
        If there is no prompt, or the number of special tokens is unknown or
        none is there to be left out.

    Example
    -------
    >>> from transformers import ASTConfig, ASTModel
    >>> ast = ASTModel(ASTConfig(num_hidden_layers=1, max_length=100))
    >>> Prompts(ast.embeddings, 25, n_special=2)(torch.rand(2, 100, 128)).shape
    torch.Size([2, 135, 768])
    """

    identity_at_start = False

    def __init__(
        self,
        target: nn.Module,
        n_prompts: int,
        drop_distillation: bool = False,
        n_special: int | None = None,
    ):
        super().__init__(target)
        if n_special is None:
            n_special = special_tokens(target)
        self.n_prompts = n_prompts
        self.drop_distillation = drop_distillation
        self.prompts = new_prompts(n_prompts, width(target))
        if n_special is None:
            raise ValueError(
                f"{type(self).__name__} over a {type(target).__name__} outside "
                "of a PETLModel has to be told n_special."
            )
        if n_special < drop_distillation:
            raise ValueError(
                "drop_distillation is True, but this backbone has no special "
                "token to leave out."
            )
        self.n_before = n_special
        self.n_kept = n_special - 1 if drop_distillation else n_special
        self.n_special = self.n_kept

    def insert(
        self, tokens: torch.Tensor, kept: int, skipped: int
    ) -> torch.Tensor:
        """Puts the prompts into tokens [B, T, d].

        Arguments
        ---------
        tokens : torch.Tensor
            Tokens [B, T, d].
        kept : int
            Number of first tokens to keep before the prompts.
        skipped : int
            Number of tokens after those to leave out.
        """
        prompts = expand(self.prompts, tokens)
        rest = tokens[:, kept + skipped :]
        return torch.cat([tokens[:, :kept], prompts, rest], dim=1)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Returns tokens [B, T + n_prompts, d]."""
        tokens, rest = split(self.target(*args, **kwargs))
        dropped = self.n_before - self.n_kept
        return join(self.insert(tokens, self.n_kept, dropped), rest)


class DeepPrompts(Prompts):
    """``Prompts`` of a layer, in the place of those that came in.

    Deep prompt tuning: at ``layer[1:]``, with ``Prompts`` at ``tokens`` for
    the first layer, and the same arguments.

    Example
    -------
    >>> from transformers import ASTConfig, ASTModel
    >>> ast = ASTModel(ASTConfig(num_hidden_layers=1, max_length=100))
    >>> layer = DeepPrompts(ast.layers[0], 25, n_special=2)
    >>> layer(torch.rand(2, 135, 768)).shape
    torch.Size([2, 135, 768])
    """

    def needs(self) -> dict[str, Need]:
        """Returns ``Prompts`` with the same options at ``tokens``."""
        options = ("n_prompts", "drop_distillation")
        same = {name: getattr(self, name) for name in options}
        return {"tokens": Need(Prompts, same)}

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the layer on [B, T, d] with its own prompts."""
        hidden = HIDDEN.get(args, kwargs)
        hidden = self.insert(hidden, self.n_kept, self.n_prompts)
        args, kwargs = HIDDEN.set(args, kwargs, hidden)
        return self.target(*args, **kwargs)


class PassingPrompts(Wrapper):
    """Trained tokens that a layer sees and that are removed after it.

    IPET's embedding prompts, at every ``layer``. They start uniform within
    ``+- sqrt(6 / (d (n_prompts + 1)))`` (Xavier), as the authors' do.

    Arguments
    ---------
    target : torch.nn.Module
        Layer, on [B, T, d].
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
        super().__init__(target)
        size = width(target)
        bound = math.sqrt(6 / (size * (max(n_prompts, 1) + 1)))
        self.prompts = new_prompts(n_prompts, size, bound)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the layer on [B, n_prompts + T, d] and returns [B, T, d]."""
        hidden, mask = HIDDEN.get(args, kwargs), MASK.get(args, kwargs)
        n_prompts = len(self.prompts)
        hidden = torch.cat([expand(self.prompts, hidden), hidden], dim=1)
        args, kwargs = HIDDEN.set(args, kwargs, hidden)
        if mask is not None:
            args, kwargs = MASK.set(args, kwargs, widen(mask, n_prompts, 0))
        output, rest = split(self.target(*args, **kwargs))
        return join(output[:, n_prompts:], rest)


class InputPrompt(Wrapper):
    """A trained frame around the spectrogram: IPET's input prompt.

    At ``tokens``: ``x + frame`` before the patches are cut. The frame is zero
    at the start, and always inside. Visual prompting, arXiv 2203.17274.

    Arguments
    ---------
    target : torch.nn.Module
        Embeddings: from features [B, frames, mels] to tokens.
    frames, mels : int
        Size of the spectrogram in frames and mel bins.
    border : int
        Width of the frame in frames and mel bins.

    Raises
    ------
    ValueError
        If the target reads no spectrogram, the frame does not fit into it, or
        it is of another size.

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
        super().__init__(target)
        stock = innermost(target)
        if next(stock.parameters(), None) is None:
            raise ValueError(
                "InputPrompt goes over embeddings that read a spectrogram, but "
                f"this backbone's tokens come from a {type(stock).__name__}: "
                "it is for AST."
            )
        if border < 1 or 2 * border >= min(frames, mels):
            raise ValueError(
                f"border is {border}, but a frame around {frames} frames of "
                f"{mels} bins is between 1 and {(min(frames, mels) - 1) // 2} "
                "wide."
            )
        self.ends = nn.Parameter(torch.zeros(2, border, mels))
        self.sides = nn.Parameter(torch.zeros(2, frames - 2 * border, border))

    def frame(self) -> torch.Tensor:
        """Returns the frame [frames, mels], zero inside."""
        low, high = self.sides
        inside = low.new_zeros(len(low), self.ends.shape[2] - 2 * low.shape[1])
        middle = torch.cat([low, inside, high], dim=1)
        return torch.cat([self.ends[0], middle, self.ends[1]], dim=0)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Returns tokens of framed features [B, frames, mels]."""
        feats, frame = INPUT.get(args, kwargs), self.frame()
        if feats.shape[1:] != frame.shape:
            raise ValueError(
                f"The features have {feats.shape[1]} frames of "
                f"{feats.shape[2]} bins, but InputPrompt was made for "
                f"{len(frame)} frames of {frame.shape[1]} bins."
            )
        args, kwargs = INPUT.set(args, kwargs, feats + frame)
        return self.target(*args, **kwargs)
