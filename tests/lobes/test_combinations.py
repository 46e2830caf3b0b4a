"""Methods together: sizes at AST-base, stacks, ways of computing."""

import copy
from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.ast import AST
from speechbrain_petl.lobes.insertion import Parallel
from speechbrain_petl.lobes.ipet import ParallelOnInput, Tap
from speechbrain_petl.lobes.lora import LoRA
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.prefix import Prefix, PrefixRows
from speechbrain_petl.lobes.prompts import (
    DeepPrompts,
    InputPrompt,
    PassingPrompts,
    Prompts,
)
from torch import nn
from transformers import ASTConfig, ASTModel


def adapter(reduction_rate):
    """A bottleneck in parallel to the FFN."""
    bottleneck = partial(Bottleneck, reduction_rate=reduction_rate)
    return {"ffn": partial(Parallel, adapter=bottleneck)}


def lora(roles=("query", "value"), **options):
    """LoRA, with the paper's reduction rate unless said otherwise."""
    return dict.fromkeys(
        roles, partial(LoRA, **options or {"reduction_rate": 128})
    )


def dpt(n_prompts):
    """Deep prompts."""
    return {
        "tokens": partial(Prompts, n_prompts=n_prompts),
        "layer[1:]": partial(DeepPrompts, n_prompts=n_prompts),
    }


def prefix(num_tokens, key=(), value=()):
    """A prefix, over other wrappers of the projections if any."""
    wrap = partial(Prefix, num_tokens=num_tokens)
    return {
        "mhsa": partial(PrefixRows, num_tokens=num_tokens),
        "key": [*key, wrap],
        "value": [*value, wrap],
    }


def ipet(n_prompts, reduction_rate):
    """IPET without the input prompt."""
    bottleneck = partial(
        Bottleneck, reduction_rate=reduction_rate, activation=nn.ReLU
    )
    return {
        "layer": partial(PassingPrompts, n_prompts=n_prompts),
        "norm_before_ffn": Tap,
        "ffn": partial(ParallelOnInput, adapter=bottleneck, scale=0.1),
    }


@pytest.fixture(scope="module")
def base_ast():
    """AST-base with the 500 frames of ESC-50, random weights."""
    return ASTModel(ASTConfig(max_length=500))


SIZES = {
    "lora_qv": (lora(), 221_184),
    "lora_qkvo": (lora(("query", "key", "value", "output")), 442_368),
    "lora_rank_6": (lora(rank=6), 221_184),
    "spt_300": ({"tokens": partial(Prompts, n_prompts=300)}, 230_400),
    "dpt_25": (dpt(25), 230_400),
    "prefix_24": (prefix(24), 221_184),
    "input_prompt": (
        {"tokens": partial(InputPrompt, frames=500, border=10)},
        2 * 10 * 128 + 2 * 10 * 480,
    ),
    "ipet_4_32": (
        ipet(4, 24),
        12 * (4 * 768 + 768 * 32 + 32 + 32 * 768 + 768),
    ),
    "adapter_lora": (adapter(64) | lora(), 230_544 + 221_184),
    "adapter_dpt": (adapter(64) | dpt(25), 230_544 + 230_400),
    "adapter_dpt_lora": (
        adapter(128) | dpt(12) | lora(),
        119_880 + 110_592 + 221_184,
    ),
}


@pytest.mark.parametrize("insertions, method", SIZES.values(), ids=SIZES)
def test_real_sizes(base_ast, insertions, method):
    counts = PETLModel(base_ast, insertions).count_parameters()
    assert counts == {"method": method, "norm": 0, "norm_final": 0}


def feats(ast):
    """A batch of random features."""
    torch.manual_seed(1)
    return torch.randn(2, ast.config.max_length, ast.config.num_mel_bins)


def frame(tiny_ast):
    """The input prompt for an AST."""
    return partial(InputPrompt, frames=tiny_ast.config.max_length, border=4)


def test_lora_and_input_prompt_start_as_the_backbone(tiny_ast):
    insertions = {"tokens": frame(tiny_ast)} | lora(rank=2)
    model = PETLModel(tiny_ast, insertions)
    assert torch.equal(model(feats(tiny_ast)), tiny_ast(feats(tiny_ast)))


RANDOM = partial(LoRA, rank=2, identity=False)
TOGETHER = {
    "everything_deep": adapter(8) | dpt(3) | lora(rank=2),
    "prefix_over_lora": prefix(6, [RANDOM], [RANDOM]) | {"query": RANDOM},
    "prefix_in_ipet": ipet(3, 8) | prefix(6) | lora(("query",), rank=2),
}


@pytest.mark.parametrize("insertions", TOGETHER.values(), ids=TOGETHER)
def test_every_tensor_learns_and_the_delta_round_trips(tiny_ast, insertions):
    x = feats(tiny_ast)
    model = PETLModel(tiny_ast, insertions, ["norm_final"])
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, 0.01)
    for _ in range(2):
        optimizer.zero_grad()
        y = model(x)
        (y * torch.linspace(-1, 1, y.numel()).view_as(y)).sum().backward()
        optimizer.step()
    for name, tensor in model.delta().items():
        assert tensor.grad.any(), name
    other = PETLModel(tiny_ast, insertions, ["norm_final"])
    other.load_delta(model.delta())
    assert torch.equal(other.eval()(x), model.eval()(x))


@pytest.mark.parametrize("insertions", TOGETHER.values(), ids=TOGETHER)
@pytest.mark.traced
def test_ways_of_computing_agree(tiny_ast, insertions):
    x = feats(tiny_ast)
    model = PETLModel(tiny_ast, insertions).eval()
    exact = model(x)
    saving = PETLModel(tiny_ast, insertions, gradient_checkpointing=True)
    saving.load_delta(model.delta())
    torch.testing.assert_close(saving.eval()(x), exact)
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), exact, rtol=1e-4, atol=1e-5)
    torch._dynamo.reset()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = model(x).float()
    assert (rough - exact).norm() <= 0.05 * exact.norm()
    eager = copy.deepcopy(model)
    eager.model.model.set_attn_implementation("eager")
    torch.testing.assert_close(eager(x), exact, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("insertions", TOGETHER.values(), ids=TOGETHER)
def test_exports_for_batches_of_any_size(tiny_ast, insertions):
    model = PETLModel(tiny_ast, insertions).eval()
    shapes = (({0: torch.export.Dim("batch", max=2**16)},),)
    with torch.no_grad():
        program = torch.export.export(
            model, (feats(tiny_ast),), dynamic_shapes=shapes, strict=False
        )
    more = torch.cat([feats(tiny_ast)] * 3)
    torch.testing.assert_close(program.module()(more), model(more))


def test_a_prefix_over_or_under_lora_is_the_same(tiny_ast):
    """The rows that make room are zero, so LoRA adds nothing to them."""
    x = feats(tiny_ast)
    over = PETLModel(tiny_ast, prefix(6, [RANDOM], [RANDOM]))
    insertions = prefix(6)
    insertions["key"].append(RANDOM), insertions["value"].append(RANDOM)
    under = PETLModel(tiny_ast, insertions)
    moved = {}
    for name, tensor in over.delta().items():
        role, layer, rest = name.split(".", 2)
        rest = "prefix" if rest == "1.prefix" else f"1.{rest}"
        moved[f"{role}.{layer}.{rest}"] = tensor
    under.load_delta(moved)
    torch.testing.assert_close(under(x), over(x))


@pytest.mark.parametrize("drop", [False, True])
def test_prompts_and_frame_stack_in_any_order(tiny_folder, drop):
    ast = AST(tiny_folder, pooling="not_special")
    prompts = partial(Prompts, n_prompts=3, drop_distillation=drop)
    outputs = []
    for stack in ([frame(ast), prompts], [prompts, frame(ast)]):
        model = PETLModel(ast, {"tokens": stack})
        for tensor in model.delta().values():
            nn.init.constant_(tensor, 0.1)
        outputs.append(model(feats(ast)))
    torch.testing.assert_close(*outputs)


def test_pooling_of_prompts_needs_prompts(tiny_folder):
    ast = AST(tiny_folder, pooling="prompts")
    with pytest.raises(ValueError, match="'prompts', but there are none"):
        ast(feats(ast))


def test_poolings_know_the_length_of_a_refitted_backbone(tiny_folder, tiny_ast):
    short = tiny_ast.refit(max_length=60, pooling="patches")
    made_short = AST(tiny_folder, max_length=60, pooling="patches")
    torch.testing.assert_close(short(feats(short)), made_short(feats(short)))


def test_the_frame_says_for_what_size_it_is(tiny_ast):
    wrong = partial(InputPrompt, frames=90, border=4)
    model = PETLModel(tiny_ast, {"tokens": wrong})
    with pytest.raises(ValueError, match="made for 90 frames of 128 bins"):
        model(feats(tiny_ast))


@pytest.mark.parametrize("role", ["mhsa", "ffn", "layer", "tokens"])
def test_lora_is_refused_where_there_is_no_linear_layer(tiny_ast, role):
    with pytest.raises(ValueError, match="LoRA goes over a linear layer"):
        PETLModel(tiny_ast, {role: partial(LoRA, rank=2)})
