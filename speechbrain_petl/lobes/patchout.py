"""Patchout: an AST that trains on some of a clip's patches.

PaSST's, arXiv 2110.05069: a step costs as much less as there are patches
left out, and it is a regularization as well.
"""

from typing import Any

import torch
from speechbrain_petl.lobes.ast_positions import patch_grid
from speechbrain_petl.lobes.wrapper import (
    Wrapper,
    innermost,
    inside,
    join,
    split,
)
from torch import nn


class Patchout(Wrapper):
    """Leaves out patches in training; in eval mode it does nothing.

    At the site ``tokens``, where patches have their positions. First whole
    columns (time) and rows (frequency) of the grid are left out, then any
    ones of what remains. Which, is drawn anew for each clip of each batch, on
    the CPU; how many, is fixed. Special tokens and prompts stay.

    Arguments
    ---------
    target : torch.nn.Module
        AST's embeddings, or a wrapper of them: to tokens [B, T, d], of which
        the patches are the last.
    share : float
        Share of the patches that is left out, whichever they are.
    time, frequency : float
        Share of the grid's columns, and of its rows, that are left out.

    Raises
    ------
    ValueError
        If a share is not in [0, 1), or the backbone is no AST.

    Example
    -------
    >>> from transformers import ASTConfig, ASTModel
    >>> ast = ASTModel(ASTConfig(num_hidden_layers=1, max_length=100))
    >>> patchout = Patchout(ast.embeddings, share=0.5).train()
    >>> feats = torch.rand(2, 100, 128)
    >>> ast.embeddings(feats).shape, patchout(feats).shape
    (torch.Size([2, 110, 768]), torch.Size([2, 56, 768]))
    >>> patchout.eval()(feats).shape
    torch.Size([2, 110, 768])
    """

    def __init__(
        self,
        target: nn.Module,
        share: float = 0.0,
        time: float = 0.0,
        frequency: float = 0.0,
    ):
        super().__init__(target)
        shares = {"share": share, "time": time, "frequency": frequency}
        for name, value in shares.items():
            if not 0 <= value < 1:
                raise ValueError(
                    f"Patchout's {name} is {value}: give the share of patches "
                    "that is left out, at least 0 and less than 1."
                )
        patch_grid(innermost(target))
        self.share, self.time, self.frequency = share, time, frequency

    def count_left(self) -> int:
        """Returns how many patches remain, of each clip."""
        rows, columns = patch_grid(innermost(self.target))
        if not self.training:
            return rows * columns
        patches = left(rows, self.frequency) * left(columns, self.time)
        return left(patches, self.share)

    def draw(self, clips: int) -> torch.Tensor:
        """Draws which patches remain [clips, patches left], in their order."""
        rows, columns = patch_grid(innermost(self.target))
        row = draw(clips, rows, left(rows, self.frequency))
        column = draw(clips, columns, left(columns, self.time))
        found = (columns * row[:, :, None] + column[:, None, :]).flatten(1)
        chosen = draw(clips, found.shape[1], left(found.shape[1], self.share))
        return found.gather(1, chosen)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Returns tokens, in training fewer of them."""
        tokens, rest = split(self.target(*args, **kwargs))
        if not self.training:
            return join(tokens, rest)
        rows, columns = patch_grid(innermost(self.target))
        before = tokens.shape[1] - rows * columns
        kept = self.draw(len(tokens)).to(tokens.device) + before
        front = torch.arange(before, device=tokens.device)
        kept = torch.cat([front.expand(len(tokens), -1), kept], dim=1)
        index = kept[:, :, None].expand(-1, -1, tokens.shape[2])
        return join(tokens.gather(1, index), rest)

    def merge(self) -> nn.Module:
        """Returns the target: a merged model does not train."""
        return self.target


def leaves_out(model: nn.Module) -> bool:
    """Returns True if a model's training leaves out patches."""
    return any(isinstance(module, Patchout) for module in model.modules())


def left(number: int, share: float) -> int:
    """Returns how many are left, at least 1.

    Example
    -------
    >>> left(12, 0.25), left(3, 0.9)
    (9, 1)
    """
    return max(1, number - round(share * number))


def draw(clips: int, number: int, wanted: int) -> torch.Tensor:
    """Draws numbers below ``number``, sorted [clips, wanted].

    Nothing is drawn from the generator where all of them are wanted.
    """
    if wanted == number:
        return torch.arange(number).expand(clips, -1)
    return torch.rand(clips, number).argsort(1)[:, :wanted].sort(1).values


def count_patches_left(module: nn.Module, patches: int) -> int:
    """Returns how many of the patches a stack of wrappers lets through.

    Arguments
    ---------
    module : torch.nn.Module
        What is at the site ``tokens``.
    patches : int
        Number of patches of a clip.
    """
    within: nn.Module | None = module
    while within is not None:
        if isinstance(within, Patchout):
            return within.count_left()
        within = inside(within)
    return patches
