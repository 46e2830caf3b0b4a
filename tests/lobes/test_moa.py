"""Mixtures of adapters, and the reference code's double sum."""

import copy
from functools import partial
from pathlib import Path

import pytest
import torch
from speechbrain_petl.lobes.adapters import Bottleneck, Convpass
from speechbrain_petl.lobes.ast import AST
from speechbrain_petl.lobes.checkpointing import Checkpointed
from speechbrain_petl.lobes.conformer import Conformer
from speechbrain_petl.lobes.insertion import Parallel
from speechbrain_petl.lobes.legacy import AddShared, ParallelShared
from speechbrain_petl.lobes.moa import DenseMoA, SoftMoA
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.selectors import select_sites
from speechbrain_petl.lobes.sites import find_sites
from torch import nn
from transformers import ASTConfig, ASTModel

BACKBONE = str(Path(__file__).parent.parent / "golden" / "backbone")
bottleneck = partial(Bottleneck, reduction_rate=8)
EXPERTS = {
    "bottleneck": bottleneck,
    "convpass": partial(Convpass, reduction_rate=8, dropout=0.0),
    "conformer": partial(Conformer, reduction_rate=8, kernel_size=3),
}
MIXTURES = {
    "dense": DenseMoA,
    "soft": SoftMoA,
    "soft_p2": partial(SoftMoA, slots=2),
    "soft_norm": partial(SoftMoA, normalize=True),
    "soft_norm_legacy": partial(
        SoftMoA, normalize=True, phi_axis="experts", unit_slots=True
    ),
}
every_mixture = pytest.mark.parametrize("moa", MIXTURES.values(), ids=MIXTURES)
every_expert = pytest.mark.parametrize("expert", EXPERTS.values(), ids=EXPERTS)


def one_expert(mixture, expert, i):
    """The i-th expert of a mixture as a module of its own."""
    alone = expert(48).train(mixture.training)
    state = {n: t[i].clone() for n, t in mixture.experts.state_dict().items()}
    alone.load_state_dict(state)
    return alone


@pytest.mark.parametrize("mode", [True, False])
@every_expert
def test_dense_equals_a_loop(expert, mode):
    """Router's softmax over the outputs of the experts, one by one."""
    expert = partial(expert, identity=False)
    moa = DenseMoA(48, expert, n_experts=3).train(mode)
    x = torch.randn(2, 9, 48)
    w = (x @ moa.router.weight.T + moa.router.bias).softmax(dim=-1)
    alone = [one_expert(moa, expert, i) for i in range(3)]
    want = sum(w[..., i, None] * alone[i](x) for i in range(3))
    torch.testing.assert_close(moa(x), want)
    torch.testing.assert_close(moa.weights(x), w)
    for i, module in enumerate(alone):
        for name, buffer in module.named_buffers():
            own = moa.experts.get_buffer(name)[i]
            torch.testing.assert_close(own, buffer)


@pytest.mark.parametrize("mode", [True, False])
@every_expert
def test_soft_equals_a_loop(expert, mode):
    """Dispatch, experts one by one, combine."""
    expert = partial(expert, identity=False)
    moa = SoftMoA(48, expert, n_experts=3, slots=2).train(mode)
    x = torch.randn(2, 9, 48)
    logits = x @ moa.phi.flatten(1)
    slots = logits.softmax(dim=1).transpose(1, 2) @ x
    outputs = [
        one_expert(moa, expert, i)(slots[:, 2 * i : 2 * i + 2])
        for i in range(3)
    ]
    combine = logits.softmax(dim=2)
    torch.testing.assert_close(moa(x), combine @ torch.cat(outputs, dim=1))
    torch.testing.assert_close(moa.weights(x).flatten(2), combine)


def test_soft_normalizes_the_logits_only():
    """Soft MoE's own: unit X and Phi over d, a learnt scale, plain slots."""
    expert = partial(bottleneck, identity=False)
    moa = SoftMoA(48, expert, n_experts=3, normalize=True)
    nn.init.constant_(moa.scale, 3.0)
    x = torch.randn(2, 9, 48)
    phi = moa.phi.flatten(1)
    logits = 3 * (x / x.norm(dim=2, keepdim=True)) @ (phi / phi.norm(dim=0))
    slots = logits.softmax(dim=1).transpose(1, 2) @ x
    outputs = torch.cat(
        [one_expert(moa, expert, i)(slots[:, [i]]) for i in range(3)], dim=1
    )
    torch.testing.assert_close(moa(x), logits.softmax(dim=2) @ outputs)
    torch.testing.assert_close(moa.weights(10 * x), moa.weights(x))


@pytest.mark.parametrize(
    "option", [{"phi_axis": "experts"}, {"unit_slots": True}]
)
def test_each_legacy_option_changes_the_result(option):
    """They can be run one by one."""
    torch.manual_seed(0)
    expert = partial(bottleneck, identity=False)
    ours = SoftMoA(48, expert, normalize=True)
    legacy = SoftMoA(48, expert, normalize=True, **option)
    legacy.load_state_dict(ours.state_dict())
    x = torch.randn(2, 9, 48)
    assert not torch.allclose(ours(x), legacy(x), rtol=1e-3)


@every_mixture
def test_weights_are_shares(moa):
    """Positive, and one in sum for each token."""
    moa = moa(48, bottleneck, n_experts=3)
    weights = moa.weights(torch.randn(2, 9, 48)).flatten(2)
    assert weights.min() > 0
    torch.testing.assert_close(weights.sum(dim=2), torch.ones(2, 9))


@every_mixture
@every_expert
def test_identity_then_every_tensor_learns(moa, expert):
    """Zero at step 0; after one update, router and slots learn as well."""
    moa = moa(48, expert, n_experts=3).train()
    assert moa(torch.randn(2, 9, 48)).abs().max() == 0
    optimizer = torch.optim.SGD(moa.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        (moa(torch.randn(2, 9, 48)) - 1).square().mean().backward()
        optimizer.step()
    for name, tensor in moa.named_parameters():
        assert tensor.grad.abs().max() > 0, name


def test_experts_start_apart():
    """Each has its own random start, and its own dropout."""
    torch.manual_seed(0)
    expert = partial(Convpass, reduction_rate=8, identity=False, dropout=0.5)
    moa = DenseMoA(48, expert, n_experts=2)
    first, second = moa.experts.down.weight
    assert not torch.equal(first, second)
    x = torch.randn(2, 9, 48)
    assert not torch.equal(moa.train()(x), moa(x))
    assert torch.equal(moa.eval()(x), moa(x))


COUNTS = [
    (DenseMoA, 903_756),
    (SoftMoA, 903_672),
    (partial(SoftMoA, slots=2), 968_184),
    (partial(SoftMoA, normalize=True), 903_684),
]


@pytest.mark.parametrize("moa, count", COUNTS)
def test_counts_at_full_size(moa, count):
    """Seven experts of rate 128 beside one sub-layer."""
    with torch.device("meta"):
        ast = ASTModel(ASTConfig())
    adapter = partial(moa, expert=partial(Bottleneck, reduction_rate=128))
    model = PETLModel(ast, {"ffn": partial(Parallel, adapter=adapter)})
    assert model.count_parameters()["method"] == count


@pytest.fixture(scope="module")
def ast():
    """A tiny pretrained AST."""
    return AST(source=BACKBONE)


@every_mixture
def test_delta_names(ast, moa):
    """Experts lie in one tensor, under a plain name."""
    adapter = partial(moa, expert=bottleneck, n_experts=3)
    model = PETLModel(ast, {"ffn[0]": partial(Parallel, adapter=adapter)})
    delta = model.delta()
    assert delta["ffn.0.adapter.experts.up.weight"].shape == (3, 48, 6)
    router = {n for n in delta if "experts" not in n}
    assert router <= {
        "ffn.0.adapter.router.weight",
        "ffn.0.adapter.router.bias",
        "ffn.0.adapter.phi",
        "ffn.0.adapter.scale",
    }


def gradients(model, x, run):
    """Output and gradients of a way to run a model."""
    model.zero_grad()
    output = run(x)
    output.float().square().sum().backward()
    return output, {n: p.grad.clone() for n, p in model.named_parameters()}


@every_mixture
def test_checkpointing_and_compile_change_nothing(moa):
    """The batched experts are one graph and can be recomputed."""
    torch.manual_seed(0)
    moa = moa(48, partial(bottleneck, identity=False), n_experts=3)
    x = torch.randn(2, 9, 48)
    plain = gradients(moa, x, moa)
    again = gradients(moa, x, Checkpointed(moa))
    compiled = torch.compile(moa, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(again, plain)
    torch.testing.assert_close(gradients(moa, x, compiled), plain)


@every_mixture
def test_autocast(moa):
    """In bfloat16, up to its precision; the parameters stay float32."""
    torch.manual_seed(0)
    moa = moa(48, partial(bottleneck, identity=False), n_experts=3)
    x = torch.randn(2, 9, 48)
    with torch.autocast("cpu", torch.bfloat16):
        output, grads = gradients(moa, x, moa)
    scale = moa(x).abs().max()
    assert (output - moa(x)).abs().max() < 0.02 * scale
    assert {grad.dtype for grad in grads.values()} == {torch.float32}


def shared_model(ast, dropout=0.0):
    """The reference's Pfeiffer-MHSA mixture: model, layer 0, its adapter."""
    expert = partial(
        Convpass, reduction_rate=8, dropout=dropout, identity=False
    )
    adapter = partial(DenseMoA, expert=expert, n_experts=2)
    insertions = {
        "mhsa": partial(ParallelShared, adapter=adapter),
        "layer": AddShared,
    }
    model = PETLModel(ast, insertions)
    (site,) = select_sites(find_sites(ast), "layer[0]")
    layer = model.model.get_submodule(site.path)
    (shared,) = (m for m in layer.modules() if isinstance(m, ParallelShared))
    return model, layer, shared.adapter


def test_shared_output_is_added_twice(ast):
    """The very tensor, dropped units and all, after MHSA and after the FFN."""
    model, layer, adapter = shared_model(ast, dropout=0.5)
    model.train()
    added, inner = [], []
    adapter.register_forward_hook(lambda *call: added.append(call[-1]))
    layer.target.register_forward_hook(lambda *call: inner.append(call[-1]))
    outer = layer(torch.randn(2, 9, 48))
    assert len(added) == 1
    torch.testing.assert_close(outer, inner[0] + added[0])
    assert not [n for n in model.delta() if n.startswith("layer")]


def test_shared_output_under_checkpointing_and_compile(ast):
    """Nothing is kept between calls, so nothing goes stale."""
    _, layer, adapter = shared_model(ast)
    inner = copy.copy(layer)
    inner._modules = {"target": Checkpointed(layer.target)}
    x = torch.randn(2, 9, 48)
    plain = gradients(adapter, x, layer)
    for run in (
        inner,
        Checkpointed(layer),
        torch.compile(layer, backend="aot_eager", fullgraph=True),
    ):
        torch.testing.assert_close(gradients(adapter, x, run), plain)


def test_add_shared_needs_a_sharing_adapter(ast):
    """The message names both wrappers and the order."""
    with pytest.raises(ValueError, match="needs a ParallelShared at 'mhsa'"):
        PETLModel(ast, {"layer": AddShared})


@pytest.mark.parametrize(
    "moa, message",
    [
        (partial(DenseMoA, n_experts=0), "n_experts is 0"),
        (partial(SoftMoA, n_experts=0), "n_experts is 0"),
        (partial(SoftMoA, slots=0), "slots is 0"),
        (partial(SoftMoA, normalize=True, phi_axis="d"), "not 'd'"),
        (partial(SoftMoA, phi_axis="experts"), "set normalize: True"),
        (partial(SoftMoA, unit_slots=True), "set normalize: True"),
    ],
)
def test_errors(moa, message):
    """What cannot be is refused in one sentence."""
    with pytest.raises(ValueError, match=message):
        moa(48, bottleneck)
