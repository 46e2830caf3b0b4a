"""Wrappers take and pass on arguments by position and by keyword."""

from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.checkpointing import Checkpointed
from speechbrain_petl.lobes.insertion import Parallel, Sequential
from speechbrain_petl.lobes.ipet import ParallelOnInput, Tap
from speechbrain_petl.lobes.prefix import PrefixRows
from speechbrain_petl.lobes.prompts import DeepPrompts, PassingPrompts, Prompts
from speechbrain_petl.lobes.tokens import widen
from speechbrain_petl.lobes.wrapper import Wrapper
from torch import nn

WIDTH = 16
ADAPTER = partial(Bottleneck, reduction_rate=4, identity=False)


class Attention(nn.Module):
    """A sub-layer called as in transformers; keeps what it was given."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(WIDTH, WIDTH))

    def forward(self, hidden_states, attention_mask=None, **kwargs):
        """Returns hidden states and two other things."""
        self.seen = hidden_states.shape, attention_mask, kwargs
        return hidden_states @ self.weight, attention_mask, "weights"


WRAPPERS = {
    "parallel": partial(Parallel, adapter=ADAPTER),
    "parallel_after": partial(Parallel, adapter=ADAPTER, place="after"),
    "sequential": partial(Sequential, adapter=ADAPTER),
    "sequential_before": partial(Sequential, adapter=ADAPTER, place="before"),
    "before_legacy": partial(
        Sequential, adapter=ADAPTER, place="before_legacy"
    ),
    "deep_prompts": partial(DeepPrompts, n_prompts=3, n_special=2),
    "passing_prompts": partial(PassingPrompts, n_prompts=3),
    "prefix_rows": partial(PrefixRows, num_tokens=6),
    "checkpointed": Checkpointed,
}


@pytest.mark.parametrize("make", WRAPPERS.values(), ids=WRAPPERS)
def test_position_or_keyword(make):
    wrapper = make(Attention())
    assert isinstance(wrapper, Wrapper)
    x, mask = torch.randn(2, 9, WIDTH), torch.zeros(2, 1, 9, 9)
    calls = {
        "positions": lambda: wrapper(x, mask, output_attentions=False),
        "mixed": lambda: wrapper(
            x, attention_mask=mask, output_attentions=False
        ),
        "keywords": lambda: wrapper(
            hidden_states=x, attention_mask=mask, output_attentions=False
        ),
    }
    outputs, seen = [], []
    for call in calls.values():
        outputs.append(call())
        seen.append(wrapper.target.seen)
    for output, (shape, inner, kwargs) in zip(outputs, seen, strict=True):
        assert torch.equal(output[0], outputs[0][0])
        assert output[0].shape == x.shape
        assert output[2] == "weights"
        assert kwargs == {"output_attentions": False}
        assert inner.shape[-2:] == (shape[1], shape[1])
    assert wrapper(x)[1] is None, "no mask is made up"


def test_ipets_adapter_takes_a_keyword():
    layer = ParallelOnInput(Attention(), ADAPTER)
    normed = Tap(nn.LayerNorm(WIDTH))(torch.randn(2, 9, WIDTH))
    assert torch.equal(layer(normed)[0], layer(hidden_states=normed)[0])
    with pytest.raises(ValueError, match="did not get what Tap gave"):
        layer(normed.clone())


def test_prompts_keep_what_else_the_embeddings_return():
    prompts = Prompts(Attention(), 3, n_special=0)
    tokens, mask, rest = prompts(torch.randn(2, 9, WIDTH), "mask")
    assert tokens.shape == (2, 12, WIDTH)
    assert (mask, rest) == ("mask", "weights")


@pytest.mark.parametrize("kind", [Prompts, DeepPrompts])
def test_prompts_have_to_know_the_special_tokens(kind):
    with pytest.raises(ValueError, match=f"{kind.__name__} over a Linear"):
        kind(nn.Linear(8, 8), 3)
    with pytest.raises(ValueError, match="no special token to leave out"):
        kind(nn.Linear(8, 8), 3, drop_distillation=True, n_special=0)


@pytest.mark.parametrize(
    "mask, first, last",
    [
        (torch.tensor([[True, False]]), [True], [True]),
        (torch.tensor([[1, 0]]), [1], [1]),
        (torch.tensor([[[[0.0, -9.0]]]]), [0.0], [0.0]),
    ],
)
def test_masks_see_new_tokens(mask, first, last):
    wide = widen(mask, 1, 1)
    assert wide.dtype == mask.dtype
    assert wide.flatten().tolist() == first + mask.flatten().tolist() + last


@pytest.mark.parametrize(
    "make, identity",
    [
        (Parallel, True),
        (partial(Parallel, residual=True), False),
        (Sequential, True),
        (partial(Sequential, residual=False), False),
        (partial(Sequential, place="before_legacy"), False),
    ],
)
def test_layouts_say_whether_they_start_as_the_backbone(make, identity):
    layer = make(nn.Linear(8, 8), adapter=partial(Bottleneck, reduction_rate=2))
    x = torch.randn(2, 5, 8)
    assert layer.identity_at_start == identity
    assert torch.allclose(layer(x), layer.target(x)) == identity
