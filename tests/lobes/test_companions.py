"""A wrapper without the one that it needs is refused, not run."""

from functools import partial

import pytest
from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.ipet import ParallelOnInput, Tap
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.prefix import Prefix, PrefixRows
from speechbrain_petl.lobes.prompts import DeepPrompts, Prompts

PREFIX = partial(Prefix, num_tokens=4)
ROWS = partial(PrefixRows, num_tokens=4)
DEEP = partial(DeepPrompts, n_prompts=4)
SHALLOW = partial(Prompts, n_prompts=4)
ON_INPUT = partial(ParallelOnInput, adapter=Bottleneck)


@pytest.mark.parametrize(
    "insertions, message",
    [
        ({"key": PREFIX, "value": PREFIX}, "PrefixRows with num_tokens 4"),
        ({"mhsa": ROWS}, "Prefix with num_tokens 4 at 'key'"),
        ({"mhsa": ROWS, "key": PREFIX}, "Prefix with num_tokens 4 at 'value'"),
        (
            {
                "mhsa": ROWS,
                "key": PREFIX,
                "value": partial(Prefix, num_tokens=6),
            },
            "'mhsa.0' needs Prefix with num_tokens 4 at 'value'",
        ),
        (
            {"mhsa[1:]": ROWS, "key": PREFIX, "value": PREFIX},
            "Prefix at 'key.0' needs PrefixRows",
        ),
        ({"layer[1:]": DEEP}, "'layer.1' needs Prompts with n_prompts 4"),
        (
            {"tokens": partial(Prompts, n_prompts=5), "layer[1:]": DEEP},
            "n_prompts 4 and drop_distillation False at 'tokens'",
        ),
        (
            {
                "tokens": partial(SHALLOW, drop_distillation=True),
                "layer[1:]": DEEP,
            },
            "drop_distillation False at 'tokens'",
        ),
        ({"ffn": ON_INPUT}, "ParallelOnInput at 'ffn.0' needs Tap at"),
        ({"norm_before_ffn": Tap}, "Tap at 'norm_ffn.0' needs Parallel"),
    ],
)
def test_a_missing_companion_is_named(tiny_ast, insertions, message):
    with pytest.raises(ValueError, match=message):
        PETLModel(tiny_ast, insertions)


@pytest.mark.parametrize(
    "insertions",
    [
        {"key": PREFIX, "value": PREFIX, "mhsa": ROWS},
        {"mhsa": ROWS, "value": PREFIX, "key": PREFIX},
        {"layer[1:]": DEEP, "tokens": SHALLOW},
        {"tokens": [SHALLOW], "layer": DEEP},
        {"ffn": ON_INPUT, "norm_before_ffn": Tap},
    ],
)
def test_any_order_will_do(tiny_ast, insertions):
    PETLModel(tiny_ast, insertions)
