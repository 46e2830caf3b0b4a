"""AST's positions for another clip length."""

import pytest
import torch
from speechbrain_petl.lobes.ast_positions import fit_positions, resize_time


def grid_of(model):
    """Returns the special tokens' positions and the grid [d, freq, time]."""
    shape = model.embeddings.get_shape(model.config)
    positions = model.embeddings.position_embeddings[0]
    special = len(positions) - shape[0] * shape[1]
    return positions[:special], positions[special:].T.unflatten(1, shape)


def test_a_shorter_clip_keeps_the_middle_and_the_special_tokens(tiny_ast):
    special, grid = grid_of(tiny_ast.model)
    fit_positions(tiny_ast.model, 48, "resize")
    new_special, new_grid = grid_of(tiny_ast.model)
    first = grid.shape[-1] // 2 - new_grid.shape[-1] // 2
    middle = grid[..., first : first + new_grid.shape[-1]]
    assert new_grid.shape[-1] == 3 < grid.shape[-1]
    assert torch.equal(new_special, special)
    assert torch.equal(new_grid, middle)
    assert tiny_ast.model.config.max_length == 48


def test_a_longer_clip_stretches_time_alone():
    ramp = torch.tensor([0.0, 4.0]).view(1, 1, 2, 1).expand(-1, -1, -1, 3)
    grid = ramp + torch.arange(3.0)
    wide = resize_time(grid, 6)
    assert wide.shape == (1, 1, 2, 6)
    assert torch.equal(wide[0, 0, 1] - wide[0, 0, 0], torch.full((6,), 4.0))
    assert (wide.diff(dim=-1) >= 0).all()


def test_zeros_are_zeros_that_train(tiny_ast):
    fit_positions(tiny_ast.model, None, "zeros")
    positions = tiny_ast.model.embeddings.position_embeddings
    assert positions.requires_grad and not positions.any()


@pytest.mark.parametrize(
    ("length", "how", "message"),
    [(15, "resize", "max_length is 15 frames"), (48, "cut", "not 'cut'")],
)
def test_a_refusal_leaves_the_model_as_it_is(tiny_ast, length, how, message):
    before = tiny_ast.model.embeddings.position_embeddings
    with pytest.raises(ValueError, match=message):
        fit_positions(tiny_ast.model, length, how)
    assert tiny_ast.model.embeddings.position_embeddings is before
    assert tiny_ast.model.config.max_length == 100
