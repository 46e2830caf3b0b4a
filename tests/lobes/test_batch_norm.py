"""BatchNorm of adapters: PyTorch's, but in several processes and for one value."""

import json
import socket
from functools import partial
from pathlib import Path

import pytest
import torch
from speechbrain_petl.lobes.batch_norm import BatchNorm
from speechbrain_petl.lobes.conformer import Conformer
from speechbrain_petl.lobes.insertion import Parallel
from speechbrain_petl.lobes.moa import DenseMoA, SoftMoA
from speechbrain_petl.lobes.petl import PETLModel
from torch import nn

CONFORMER = partial(Conformer, reduction_rate=8, kernel_size=3, identity=False)
ADAPTERS = {
    "conformer": CONFORMER,
    "dense": partial(DenseMoA, expert=CONFORMER, n_experts=2),
    "soft": partial(SoftMoA, expert=CONFORMER, n_experts=2),
}


@pytest.mark.parametrize("mode", [True, False])
def test_equals_pytorchs(mode):
    ours, theirs = BatchNorm(6).train(mode), nn.BatchNorm1d(6).train(mode)
    theirs.load_state_dict(ours.state_dict())
    for _ in range(3):
        x = 2 * torch.randn(4, 6, 10) + 1
        assert torch.equal(ours(x), theirs(x))
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor), name


def test_one_value_is_normalized_by_the_running_statistics():
    norm = BatchNorm(6).train()
    norm(torch.randn(4, 6, 10))
    before = {n: t.clone() for n, t in norm.state_dict().items()}
    x = torch.randn(1, 6, 1)
    found = norm(x)
    assert torch.equal(found, norm.eval()(x))
    for name, tensor in norm.state_dict().items():
        assert torch.equal(tensor, before[name]), name


@pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=ADAPTERS)
def test_mixtures_train_on_a_batch_of_one_clip(tiny_ast, adapter):
    insertions = {"ffn": partial(Parallel, adapter=adapter)}
    model = PETLModel(tiny_ast, insertions).train()
    model(torch.randn(1, 100, 128)).square().sum().backward()
    for name, tensor in model.delta().items():
        if tensor.requires_grad:
            assert tensor.grad.isfinite().all(), name


def step(model, x, first, total):
    """Gradients and buffers after one backward pass on a part of a batch."""
    y = model(x)
    weights = torch.linspace(-1, 1, total * y.shape[1]).view(total, -1)
    (y * weights[first : first + len(x)]).sum().backward()


def report(model):
    """Gradients and buffers by name, as lists."""
    return {
        name: (tensor.grad if tensor.requires_grad else tensor).tolist()
        for name, tensor in model.delta().items()
    }


def build(ast, adapter):
    """An adapted model in training mode, the same at each call."""
    torch.manual_seed(0)
    insertions = {"ffn": partial(Parallel, adapter=adapter)}
    return PETLModel(ast, insertions).train()


def rank(index, port, folder, out):
    """One of two gloo processes with shards of three clips and one."""
    from speechbrain_petl.lobes.ast import AST

    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", f"tcp://127.0.0.1:{port}", rank=index, world_size=2
    )
    first, last = ((0, 3), (3, 4))[index]
    found = {}
    for name, adapter in ADAPTERS.items():
        model = build(AST(folder), adapter)
        converted = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        parallel = nn.parallel.DistributedDataParallel(converted)
        torch.manual_seed(1)
        x = torch.randn(4, 100, 128)[first:last]
        step(parallel, x, first, 4)
        found[name] = report(model)
    if index == 0:
        Path(out).write_text(json.dumps(found))
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_train_as_one(tiny_folder, tiny_ast, tmp_path):
    """On CPUs, through SpeechBrain's way of wrapping, with uneven shards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    args = (port, tiny_folder, str(tmp_path / "report.json"))
    torch.multiprocessing.spawn(rank, args, nprocs=2, join=True)
    found = json.loads((tmp_path / "report.json").read_text())
    for name, adapter in ADAPTERS.items():
        model = build(tiny_ast, adapter)
        torch.manual_seed(1)
        step(model, torch.randn(4, 100, 128), 0, 4)
        for key, tensor in model.delta().items():
            # DDP averages the gradients of the processes.
            want = tensor.grad / 2 if tensor.requires_grad else tensor
            torch.testing.assert_close(
                torch.tensor(found[name][key], dtype=want.dtype),
                want,
                rtol=1e-4,
                atol=1e-4,
                msg=lambda text, key=key: f"{key}: {text}",
            )
