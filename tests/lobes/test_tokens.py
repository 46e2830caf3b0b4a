"""Trained tokens and the masks that see them."""

import pytest
import torch
from speechbrain_petl.lobes.tokens import expand, new_prompts, widen


@pytest.mark.parametrize("dtype", [torch.bool, torch.long, torch.float])
def test_every_kind_of_mask_sees_the_new_tokens(dtype):
    seen = torch.tensor([[True, True, False]])
    mask = seen.to(dtype)
    if dtype == torch.float:
        mask = torch.zeros(1, 3).masked_fill(~seen, -1e9)
    wide = widen(mask, 2, 1)
    assert wide.dtype == dtype
    visible = wide == 0 if dtype == torch.float else wide.bool()
    assert visible.tolist() == [[True] * 4 + [False, True]]


def test_a_mask_of_queries_and_keys_grows_where_it_has_rows():
    assert widen(torch.zeros(2, 1, 1, 5), 2, 1).shape == (2, 1, 1, 8)
    assert widen(torch.zeros(2, 1, 5, 5), 2, 1).shape == (2, 1, 8, 8)


def test_prompts_fill_their_bound_and_stay_inside():
    prompts = new_prompts(100, 768)
    bound = (6 / (3 * 16 * 16 + 768)) ** 0.5
    assert 0.99 * bound < prompts.abs().max() <= bound
    assert new_prompts(50, 8, bound=0.5).abs().max() <= 0.5
    with pytest.raises(ValueError, match="n_prompts is 0"):
        new_prompts(0, 8)


def test_the_gradients_of_all_clips_meet_in_one_prompt():
    prompts = new_prompts(2, 4)
    clips = expand(prompts, torch.zeros(3, 5, 4, dtype=torch.float64))
    assert clips.dtype == torch.float64
    clips.sum().backward()
    assert prompts.grad.eq(3).all()
