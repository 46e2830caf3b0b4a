"""The adapters themselves: what they compute, how they start, their size."""

from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from speechbrain_petl.lobes.adapters import (
    Bottleneck,
    Convpass,
    bottleneck_width,
)
from speechbrain_petl.lobes.conformer import Conformer
from speechbrain_petl.lobes.insertion import Parallel
from speechbrain_petl.lobes.petl import PETLModel
from torch import nn
from transformers import ASTConfig, ASTModel

GOLDEN = Path(__file__).parent.parent / "golden"
ADAPTERS = {
    "bottleneck": Bottleneck,
    "convpass": partial(Convpass, dropout=0.0),
    "convpass_legacy": partial(Convpass, dropout=0.0, convolution=False),
    "conformer": Conformer,
    "conformer_k5": partial(Conformer, kernel_size=5),
    "conformer_legacy": partial(Conformer, layer_norm=False),
}
every_adapter = pytest.mark.parametrize("make", ADAPTERS.values(), ids=ADAPTERS)


@every_adapter
def test_adds_nothing_at_step_0(make):
    """Exactly zero, in training mode too; not so with the legacy start."""
    x = torch.randn(2, 9, 48)
    adapter = make(48, reduction_rate=8)
    assert adapter.train()(x).abs().max() == 0
    assert adapter.eval()(x).abs().max() == 0
    assert make(48, reduction_rate=8, identity=False)(x).abs().min() > 0


@every_adapter
def test_every_tensor_learns_after_one_update(make):
    """No parameter is dead: DDP never looks for unused ones."""
    adapter = make(48, reduction_rate=8).train()
    optimizer = torch.optim.SGD(adapter.parameters(), lr=1.0)
    for _ in range(2):
        optimizer.zero_grad()
        (adapter(torch.randn(2, 9, 48)) - 1).square().mean().backward()
        optimizer.step()
    for name, tensor in adapter.named_parameters():
        assert tensor.grad.abs().max() > 0, name


@pytest.mark.parametrize(
    "make, before, after",
    [
        (Bottleneck, 0, 0),
        (partial(Convpass, dropout=0.0), 1, 1),
        (partial(Convpass, dropout=0.0, kernel_size=5), 2, 2),
        (partial(Convpass, dropout=0.0, convolution=False), 0, 0),
        (partial(Conformer, kernel_size=5), 2, 2),
        (partial(Conformer, kernel_size=31), 10, 9),
    ],
)
def test_tokens_that_an_adapter_sees(make, before, after):
    """A convolution reaches half its kernel to each side, and no further."""
    torch.manual_seed(0)
    adapter = make(48, reduction_rate=8, identity=False).eval()
    x = torch.randn(1, 20, 48, requires_grad=True)
    adapter(x)[0, 10].sum().backward()
    seen = x.grad[0].abs().sum(dim=-1).nonzero().flatten()
    assert seen.tolist() == list(range(10 - before, 10 + after + 1))


def test_bottleneck_equation():
    """``up(gelu(down(x)))``."""
    adapter = Bottleneck(48, reduction_rate=8, identity=False)
    x = torch.randn(2, 9, 48)
    hidden = nn.functional.gelu(x @ adapter.down.weight.T + adapter.down.bias)
    want = hidden @ adapter.up.weight.T + adapter.up.bias
    torch.testing.assert_close(adapter(x), want)


def test_conformer_equation():
    """Pointwise, GLU, depthwise, BatchNorm, SiLU, pointwise; LN first."""
    adapter = Conformer(48, 8, kernel_size=5, identity=False).train()
    nn.init.normal_(adapter.norm.weight)
    x = torch.randn(2, 9, 48)
    n = adapter.norm(x).transpose(1, 2)
    both = nn.functional.conv1d(
        n, adapter.down.weight[..., None], adapter.down.bias
    )
    hidden = both[:, :6] * both[:, 6:].sigmoid()
    hidden = adapter.depthwise(hidden)
    mean = hidden.mean(dim=(0, 2), keepdim=True)
    std = (hidden.var(dim=(0, 2), correction=0, keepdim=True) + 1e-5).sqrt()
    hidden = (hidden - mean) / std
    hidden = hidden * hidden.sigmoid()
    want = hidden.transpose(1, 2) @ adapter.up.weight.T + adapter.up.bias
    torch.testing.assert_close(adapter(x), want)


@pytest.mark.parametrize(
    "convolution, output",
    [(True, "io/output_if_conv_used"), (False, "io/output")],
)
def test_convpass_equals_reference(convolution, output):
    """As the paper says, and, by option, as its code computes."""
    golden = load_file(GOLDEN / "convpass_module.safetensors")
    adapter = Convpass(48, reduction_rate=8, convolution=convolution).eval()
    state = {n: golden[f"delta/{n}"] for n in adapter.state_dict()}
    adapter.load_state_dict(state)
    x = golden["io/input"].requires_grad_()
    y = adapter(x)
    torch.testing.assert_close(y, golden[output], rtol=0, atol=1e-5)
    if not convolution:
        y.square().mean().backward()
        grads = {n: p.grad for n, p in adapter.named_parameters()}
        grads["io/input"] = x.grad
        for name, grad in grads.items():
            torch.testing.assert_close(
                grad, golden[f"grad/{name}"], rtol=0, atol=1e-5
            )


def test_convpass_drops_units_in_training_only():
    """Dropout 0.1 by default, as the reference."""
    torch.manual_seed(0)
    adapter = Convpass(48, reduction_rate=8, identity=False)
    x = torch.randn(2, 9, 48)
    assert adapter.dropout.p == 0.1
    assert not torch.equal(adapter.train()(x), adapter(x))
    assert torch.equal(adapter.eval()(x), adapter(x))


def test_legacy_options_leave_out_dead_parameters():
    """What the reference counts and never trains does not exist here."""
    convpass = dict(Convpass(768, convolution=False).named_parameters())
    assert not [name for name in convpass if name.startswith("conv")]
    dead = size(Convpass(768)) - size(Convpass(768, convolution=False))
    assert dead == 444 == 5328 // 12
    dead = size(Conformer(768)) - size(Conformer(768, layer_norm=False))
    assert dead == 1536 == 18432 // 12


def test_legacy_start():
    """Both projections N(0, 0.02^2); Conformer's as PyTorch starts them."""
    torch.manual_seed(0)
    for make in (Bottleneck, Convpass):
        adapter = make(768, reduction_rate=8, identity=False)
        for layer in (adapter.down, adapter.up):
            assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
            assert layer.bias.abs().max() == 0
    up = Conformer(768, reduction_rate=8, identity=False).up
    assert up.weight.std().item() == pytest.approx((3 * 96) ** -0.5, rel=0.05)


def size(module):
    """Number of parameters."""
    return sum(p.numel() for p in module.parameters())


# Method (and, twice the roles, Houlsby), in a model of AST's published size.
COUNTS = [
    (partial(Bottleneck, reduction_rate=64), 230_544),
    (partial(Bottleneck, reduction_rate=32), 451_872),
    (partial(Convpass, reduction_rate=64), 235_872),
    (partial(Conformer, reduction_rate=64), 364_608),
    (partial(Conformer, reduction_rate=96), 252_288),
]


@pytest.mark.parametrize("roles", [["ffn"], ["mhsa"], ["mhsa", "ffn"]])
@pytest.mark.parametrize("make, count", COUNTS)
def test_counts_at_full_size(make, count, roles):
    """The papers' figures, adapters and LayerNorms apart."""
    with torch.device("meta"):
        ast = ASTModel(ASTConfig())
    model = PETLModel(
        ast,
        dict.fromkeys(roles, partial(Parallel, adapter=make)),
        unfrozen=[*(f"norm_{role}" for role in roles), "norm_final"],
    )
    assert model.count_parameters() == {
        "method": count * len(roles),
        "norm": 18_432 * len(roles),
        "norm_final": 1_536,
    }


def test_batch_statistics_belong_to_the_delta():
    """Without them a loaded Conformer adapter is another function."""
    ast = ASTModel(ASTConfig(num_hidden_layers=1))
    model = PETLModel(ast, {"ffn": partial(Parallel, adapter=Conformer)})
    kept = [
        n for n in model.delta() if n.startswith("ffn.0.adapter.batch_norm")
    ]
    assert [n.rpartition(".")[2] for n in kept] == [
        "weight",
        "bias",
        "running_mean",
        "running_var",
        "num_batches_tracked",
    ]


def test_width_rounds_half_to_even():
    """As the papers' counts were made."""
    assert bottleneck_width(768, 64) == 12
    assert bottleneck_width(100, 40) == 2
    assert bottleneck_width(100, 8) == 12


@pytest.mark.parametrize("rate", [0, -1, 2000])
@every_adapter
def test_refuses_a_rate_without_units(make, rate):
    """The message names the rate and the width."""
    with pytest.raises(ValueError, match=f"reduction_rate {rate} leaves .*768"):
        make(768, reduction_rate=rate)


@pytest.mark.parametrize("make", [Convpass, Conformer])
@pytest.mark.parametrize("kernel_size", [0, 4])
def test_refuses_an_even_kernel(make, kernel_size):
    """An even kernel would shift the tokens."""
    with pytest.raises(ValueError, match=f"kernel_size is {kernel_size}"):
        make(48, reduction_rate=8, kernel_size=kernel_size)
