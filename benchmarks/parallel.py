"""Data-parallel training: the same gradients, and how it scales.

One process with the global batch against two ranks with half of it each, over
gloo (nccl on GPUs). ``difference`` is the largest between the gradients of the
first batch, in fp32, and those of one process, as a share of the largest.
"""

import atexit
import json
import subprocess
import sys
import tempfile

import torch

from benchmarks.measure import Contender
from benchmarks.models import autocast, load_recipe

HERE = "benchmarks.parallel"
YAML = "adapter_hou_par"


def make_model(backbone, batch, frames, device):
    """Makes the same model, batch and targets at each call."""
    torch.manual_seed(0)
    hparams = load_recipe(YAML, backbone, max_length=frames)
    head = torch.nn.Linear(hparams["backbone"].config.hidden_size, 50)
    model = torch.nn.Sequential(hparams["encoder"], head).to(device).train()
    feats = torch.randn(batch, frames, 128).to(device)
    return hparams, model, feats, (torch.arange(batch) % 50).to(device)


def backward(model, feats, targets, precision, device):
    """Runs the forward and the backward pass."""
    with autocast(device, precision):
        logits = model(feats)
    torch.nn.functional.cross_entropy(logits.float(), targets).backward()


def trained(model):
    """Returns the trainable parameters."""
    return [p for p in model.parameters() if p.requires_grad]


def gradients(model):
    """Returns all gradients as one vector, and clears them."""
    found = torch.cat([p.grad.flatten() for p in trained(model)])
    model.zero_grad()
    return found


def one_process(backbone, batch, frames, precision, device):
    """Makes a step of the global batch in one process."""
    hparams, model, *data = make_model(backbone, batch, frames, device)
    optimizer = hparams["opt_class"](trained(model))

    def run():
        backward(model, *data, precision, device)
        optimizer.step()
        optimizer.zero_grad()

    return run, {"clips": batch}


def two_ranks(
    backbone, batch, frames, precision, device, rank=0, store=None, threads=None
):
    """Makes a step of half the batch here, half in a process started here."""
    options = {
        "backbone": backbone,
        "batch": batch,
        "frames": frames,
        "precision": precision,
        "device": device,
    }
    if rank == 0:
        store = tempfile.NamedTemporaryFile().name
        more = {"rank": 1, "store": store, "threads": torch.get_num_threads()}
        command = [sys.executable, "-m", HERE, json.dumps(options | more)]
        other = subprocess.Popen(command)
    else:
        torch.set_num_threads(threads)
    cuda = device.startswith("cuda")
    torch.distributed.init_process_group(
        "nccl" if cuda else "gloo",
        init_method=f"file://{store}",
        world_size=2,
        rank=rank,
    )
    device = f"cuda:{rank}" if cuda else device
    hparams, model, feats, targets = make_model(backbone, batch, frames, device)
    alone = None
    if rank == 0:
        backward(model, feats, targets, "fp32", device)
        alone = gradients(model)
    half = slice(rank * batch // 2, (rank + 1) * batch // 2)
    optimizer = hparams["opt_class"](trained(model))
    ddp = torch.nn.parallel.DistributedDataParallel(model)
    backward(ddp, feats[half], targets[half], "fp32", device)
    both = gradients(model)

    def work():
        backward(ddp, feats[half], targets[half], precision, device)
        optimizer.step()
        optimizer.zero_grad()

    def tell(go):
        """Broadcasts from rank 0 whether there is another step."""
        flag = torch.tensor([go], device=device)
        torch.distributed.broadcast(flag, 0)
        return bool(flag.item())

    if rank:
        while tell(0):
            work()
        return

    def run():
        tell(1)
        work()

    def end():
        tell(0)
        other.wait()

    atexit.register(end)
    worst = (both - alone).abs().max() / alone.abs().max()
    return run, {"clips": batch, "difference": worst.item(), "opaque": True}


def groups(options) -> dict[str, list[Contender]]:
    """Returns the contenders of each group."""
    if options.device.startswith("cuda") and torch.cuda.device_count() < 2:
        return {}
    common = {
        "backbone": options.backbone,
        "batch": 2 * options.batch,
        "frames": options.frames,
        "precision": "bf16",
        "device": options.device,
    }

    def contender(name, make, threads):
        return Contender(name, f"{HERE}:{make}", {**common, "threads": threads})

    return {
        "Two ranks": [
            contender("one process, 1 thread", "one_process", 1),
            contender("one process, 2 threads", "one_process", 2),
            contender("two ranks of 1 thread", "two_ranks", 1),
        ]
    }


if __name__ == "__main__":
    two_ranks(**json.loads(sys.argv[1]))
