"""AST's grid of position embeddings, for another clip length."""

from typing import Any

import torch
from speechbrain_petl.lobes.choices import POSITIONS
from torch import nn
from transformers import ASTModel
from transformers.models.audio_spectrogram_transformer import (
    modeling_audio_spectrogram_transformer as stock,
)


@torch.no_grad()
def fit_positions(model: ASTModel, max_length: int | None, how: str) -> None:
    """Sets a model's positions to another clip length, in place.

    Arguments
    ---------
    model : ASTModel
        Backbone; its configuration's ``max_length`` is updated.
    max_length : int, optional
        New number of frames of a clip; unchanged by default.
    how : str
        ``resize`` or ``zeros``, see ``AST``.

    Raises
    ------
    ValueError
        If a clip would be shorter than a patch, or ``how`` is unknown.
    """
    if how not in POSITIONS:
        raise ValueError(
            f"position_embeddings is one of {', '.join(POSITIONS)}, not "
            f"'{how}'."
        )
    config: Any = model.config
    embeddings = model.embeddings
    if max_length is None:
        max_length = config.max_length
    if max_length < config.patch_size:
        raise ValueError(
            f"max_length is {max_length} frames, but one patch of "
            f"'{config.name_or_path}' needs {config.patch_size}."
        )
    n_freq, n_time = embeddings.get_shape(config)
    config.max_length = max_length
    _, n_new = embeddings.get_shape(config)
    old = embeddings.position_embeddings
    prefix = old.shape[1] - n_freq * n_time
    grid = old[:, prefix:].transpose(1, 2).unflatten(2, (n_freq, n_time))
    grid = resize_time(grid, n_new)
    new = torch.cat([old[:, :prefix], grid.flatten(2).transpose(1, 2)], dim=1)
    if how == "zeros":
        new = torch.zeros_like(new)
    embeddings.position_embeddings = nn.Parameter(new)


def patch_grid(module: nn.Module) -> tuple[int, int]:
    """Returns the rows (frequency) and columns (time) of AST's patches.

    Arguments
    ---------
    module : torch.nn.Module
        Stock module at the site ``tokens``.

    Raises
    ------
    ValueError
        If it is not AST's.
    """
    if not isinstance(module, stock.ASTEmbeddings):
        raise ValueError(
            "A grid of patches is AST's; this backbone's tokens come from a "
            f"{type(module).__name__}: leave Patchout out."
        )
    rows, columns = module.get_shape(module.config)
    return rows, columns


def resize_time(grid: torch.Tensor, n_time: int) -> torch.Tensor:
    """Fits the last axis of a position grid: cuts its middle or stretches it.

    Arguments
    ---------
    grid : torch.Tensor
        Positions [1, d, frequency, time].
    n_time : int
        New number of patches along the time axis.

    Returns
    -------
    torch.Tensor
        Positions [1, d, frequency, n_time].

    Example
    -------
    >>> resize_time(torch.arange(6.0).view(1, 1, 1, 6), 2).flatten().tolist()
    [2.0, 3.0]
    """
    now = grid.shape[-1]
    if n_time <= now:
        first = now // 2 - n_time // 2
        return grid[..., first : first + n_time]
    size = (grid.shape[-2], n_time)
    return nn.functional.interpolate(grid, size=size, mode="bilinear")
