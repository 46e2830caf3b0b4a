"""What holds for every method: each YAML of the ESC-50 recipe is one case."""

import copy
import json
import re
import shutil
import socket
from pathlib import Path

import pytest
import torch
from hyperpyyaml import load_hyperpyyaml
from safetensors.torch import load_file
from torch import nn

HPARAMS = Path(__file__).parents[2] / "recipes" / "ESC50" / "hparams"
VARIANTS = sorted(path.stem for path in HPARAMS.glob("*.yaml"))
FRAMES = 64
# All others start as the frozen backbone.
NOT_IDENTITY = {
    "adapter_dpt",
    "adapter_dpt_lora",
    "dpt",
    "ipet",
    "l_adapters",
    "ladder",
    "prefix",
    "spt",
    "weighted_sum",
}
# All others refuse to be merged.
MERGE = {
    "bitfit",
    "full_ft",
    "linear",
    "lora",
    "lora_q",
    "lora_qk",
    "lora_qkvo",
    "lora_stock",
    "rep_adapter",
    "ssf",
}
# Softmax does not see a shift by a key's bias, nor BatchNorm one by the bias
# of the convolution before it.
NO_EFFECT = re.compile(r"key\.\d+\.bias|.*\.depthwise\.bias")


def build(variant, source, seed=0, **overrides):
    """The adapted backbone of a recipe's YAML, and its hyperparameters."""
    overrides = {
        "seed": seed,
        "data_folder": "none",
        "output_folder": str(Path(source).parent / "out"),
        "source": source,
        "max_length": FRAMES,
        **overrides,
    }
    with open(HPARAMS / f"{variant}.yaml", encoding="utf-8") as file:
        return load_hyperpyyaml(file, overrides)


def feats(batch=4, seed=0):
    """Random features [batch, frames, mels]."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, FRAMES, 128, generator=generator)


def loss_of(model, x):
    """A loss that no output of the model leaves out, the same at each call."""
    torch.manual_seed(1)  # dropout
    y = model(x)
    weights = torch.linspace(-1, 1, y.numel()).view_as(y)
    return (y * weights).sum() / len(x)


def update(model, x, steps=1):
    """Takes optimizer steps, so that zero-initialised tensors move."""
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(model, x).backward()
        optimizer.step()
    optimizer.zero_grad()


def gradients(model, x):
    """Gradients of all that trains, by name."""
    model.zero_grad()
    loss_of(model, x).backward()
    grads = {
        name: tensor.grad.clone()
        for name, tensor in model.delta().items()
        if tensor.requires_grad and tensor.grad is not None
    }
    model.zero_grad()
    return grads


def test_the_lists_name_variants():
    assert (NOT_IDENTITY | MERGE) <= set(VARIANTS)


@pytest.fixture(params=VARIANTS)
def variant(request):
    """The name of a YAML."""
    return request.param


@pytest.fixture
def hparams(variant, tiny_folder):
    """A variant's hyperparameters with the tiny backbone."""
    return build(variant, tiny_folder)


def test_step_0_is_the_frozen_backbone_unless_the_method_says_not(
    hparams, variant
):
    model, ast = hparams["encoder"].eval(), hparams["backbone"]
    identity = all(
        getattr(module, "identity_at_start", True) for module in model.modules()
    )
    found, stock = model(feats()), ast(feats())
    same = found.shape == stock.shape
    same = same and torch.allclose(found, stock, atol=1e-6)
    assert same == identity == (variant not in NOT_IDENTITY)


def test_the_frozen_part_stays_and_every_trained_tensor_moves(hparams):
    model = hparams["encoder"].train()
    assert not any(m.training for m in model.stock_modules)
    before = {n: t.clone() for n, t in model.named_tensors().items()}
    update(model, feats(), steps=2)
    grads = gradients(model, feats())
    for name, tensor in model.named_tensors().items():
        if tensor.requires_grad:
            assert name in grads, f"{name} gets no gradient"
            if not NO_EFFECT.fullmatch(name):
                assert grads[name].any(), f"{name} gets a zero gradient"
                assert not torch.equal(tensor, before[name]), name
        elif name not in model.delta():
            assert torch.equal(tensor, before[name]), name


def test_the_backbone_is_shared_and_not_written_to(hparams):
    ast = hparams["backbone"]
    before = copy.deepcopy(ast.state_dict())
    model = hparams["encoder"].train()
    update(model, feats(), steps=2)
    for name, tensor in ast.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    own = {t.data_ptr() for t in model.delta().values()}
    shared = {t.data_ptr() for t in ast.parameters()}
    for name, tensor in model.named_tensors().items():
        memory = tensor.data_ptr()
        assert (memory in own) != (memory in shared), name


def test_the_file_holds_exactly_the_delta_and_round_trips(
    hparams, variant, tiny_folder, tmp_path
):
    model = hparams["encoder"].train()
    update(model, feats(), steps=2)
    model.save(tmp_path / "delta.safetensors")
    saved = load_file(tmp_path / "delta.safetensors")
    trained = {n for n, t in model.named_tensors().items() if t.requires_grad}
    buffers = {
        n
        for n, t in model.named_tensors().items()
        if not isinstance(t, nn.Parameter)
    }
    assert set(saved) == trained | buffers
    other = build(variant, tiny_folder, seed=5)["encoder"]
    other.recover(tmp_path / "delta.safetensors")
    model.eval(), other.eval()
    assert torch.equal(model(feats()), other(feats()))
    for name, tensor in model.delta().items():
        assert torch.equal(other.delta()[name], tensor), name
    missing = dict(saved)
    missing.pop(sorted(saved)[0])
    with pytest.raises(ValueError, match="missing"):
        other.load_delta(missing)


def test_bf16_autocast(hparams):
    model = hparams["encoder"].train()
    update(model, feats())
    model.eval()
    exact = model(feats())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = model(feats()).float()
    assert (rough - exact).norm() <= 0.05 * exact.norm()


def test_gradient_checkpointing(hparams, variant, tiny_folder):
    plain = hparams["encoder"].train()
    update(plain, feats())
    saving = build(variant, tiny_folder, gradient_checkpointing=True)["encoder"]
    saving.train().load_delta(plain.delta())
    expected = gradients(plain, feats())
    found = gradients(saving, feats())
    assert found.keys() == expected.keys()
    for name, grad in expected.items():
        torch.testing.assert_close(found[name], grad, rtol=1e-4, atol=1e-5)
    for name, tensor in plain.delta().items():
        torch.testing.assert_close(saving.delta()[name], tensor, msg=name)


@pytest.mark.traced
def test_compiles_into_one_graph(hparams):
    model = hparams["encoder"].eval()
    update(model, feats())
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(
        compiled(feats()), model(feats()), rtol=1e-4, atol=1e-5
    )
    torch._dynamo.reset()


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("g++") or shutil.which("clang++")),
    reason="torch.compile's default backend needs a C++ compiler",
)
def test_trains_compiled(tiny_folder):
    """With the default backend: the same gradients."""
    model = build("adapter_hou_par", tiny_folder)["encoder"].train()
    update(model, feats())
    expected = gradients(model, feats())
    model.zero_grad()
    loss_of(torch.compile(model), feats()).backward()
    for name, grad in expected.items():
        torch.testing.assert_close(
            model.delta()[name].grad, grad, rtol=1e-3, atol=1e-4
        )
    torch._dynamo.reset()


def test_merge_is_explicit_and_exact(hparams, variant):
    model = hparams["encoder"].train()
    update(model, feats(), steps=2)
    model.eval()
    names = set(model.delta())
    if variant not in MERGE:
        with pytest.raises(ValueError, match="cannot be merged"):
            model.merge()
        return
    merged = model.merge()
    torch.testing.assert_close(
        merged(feats()), model(feats()), rtol=1e-4, atol=1e-5
    )
    assert set(model.delta()) == names, "the model itself was changed"
    stock = [type(module) for module in hparams["backbone"].modules()]
    assert [type(module) for module in merged.modules()] == stock


def _rank(rank, port, tiny_folder, out):
    """One of two gloo ranks: gradients of half the batch, averaged."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=2
    )
    report = {}
    for variant in VARIANTS:
        model = build(variant, tiny_folder)["encoder"].eval()
        update(model, feats())
        expected = gradients(model, feats())
        parallel = nn.parallel.DistributedDataParallel(model)
        # The loss weighs each clip by its place in the whole batch.
        y = parallel(feats()[2 * rank : 2 * rank + 2])
        weights = torch.linspace(-1, 1, 2 * y.numel()).view(4, -1)
        (y * weights[2 * rank : 2 * rank + 2]).sum().div(2).backward()
        report[variant] = {
            name: (
                None
                if tensor.grad is None
                else ((tensor.grad - expected[name]).abs().max().item())
            )
            for name, tensor in model.delta().items()
            if tensor.requires_grad
        }
    if rank == 0:
        Path(out).write_text(json.dumps(report))
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="module")
def two_ranks(tiny_folder, tmp_path_factory):
    """Differences of two ranks' gradients to one process's, all variants."""
    out = tmp_path_factory.mktemp("ddp") / "report.json"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(
        _rank, (port, tiny_folder, str(out)), nprocs=2, join=True
    )
    return json.loads(out.read_text())


@pytest.mark.slow
def test_two_ranks_train_as_one(variant, two_ranks):
    for name, difference in two_ranks[variant].items():
        assert difference is not None, f"{name} gets no gradient"
        assert difference < 1e-4, name
