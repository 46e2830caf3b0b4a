"""Several processes: which of them evaluates what, and all that they found."""

import logging
import time
from collections import Counter
from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

import torch
from speechbrain_petl.utils.messages import name_some
from torch import distributed, nn
from torch.nn.parallel import DataParallel, DistributedDataParallel
from torch.utils.data import BatchSampler

from speechbrain.utils.distributed import is_distributed_initialized

logger = logging.getLogger(__name__)


def rank() -> int:
    """Returns the number of this process, 0 if it is the only one."""
    return distributed.get_rank() if is_distributed_initialized() else 0


def n_processes() -> int:
    """Returns the number of processes that train together."""
    return distributed.get_world_size() if is_distributed_initialized() else 1


def leave_group() -> None:
    """Leaves the group of processes, at exit.

    Gloo's threads free the tensors of the last operation after it is done. One
    that does so while the interpreter ends, and needs its lock for a tensor of
    Python, aborts the process ("terminate called without an active
    exception"). They are given the time to be done.
    """
    time.sleep(0.5)
    distributed.destroy_process_group()


def gather(value: Any) -> list:
    """Returns the values of all processes, in the order of their ranks.

    Example
    -------
    >>> gather("alone")
    ['alone']
    """
    values = [value] * n_processes()
    if is_distributed_initialized():
        distributed.all_gather_object(values, value)
    return values


def own_batches(dataset, loader_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Assigns each process its share of the batches of an evaluation.

    The batches are those of a single process, dealt out in turn, so that no
    clip is evaluated twice and each is in the same batch whatever the number
    of processes; a share may be smaller than another by one batch.

    Arguments
    ---------
    dataset : Dataset
        Dataset with a length.
    loader_kwargs : mapping
        Arguments of its loader.

    Returns
    -------
    dict
        Arguments of the loader of this process.

    Example
    -------
    >>> own_batches("abcde", {"batch_size": 2, "num_workers": 1})
    {'num_workers': 1, 'batch_sampler': [[0, 1], [2, 3], [4]]}
    """
    kwargs = dict(loader_kwargs)
    in_order = BatchSampler(
        kwargs.pop("sampler", None) or range(len(dataset)),
        kwargs.pop("batch_size", None) or 1,
        kwargs.pop("drop_last", False),
    )
    kwargs.pop("shuffle", None)
    batches = list(kwargs.pop("batch_sampler", None) or in_order)
    kwargs["batch_sampler"] = batches[rank() :: n_processes()]
    return kwargs


def join_rows(
    batches: list[tuple[list[str], dict[str, torch.Tensor]]],
) -> tuple[list[str], dict[str, torch.Tensor]]:
    """Joins what all processes found of the clips of a split.

    Arguments
    ---------
    batches : list of tuple
        For each batch of this process, the clips' ids and columns of values
        [B, ...], on the CPU.

    Returns
    -------
    ids : list of str
        The clips of all processes, each once, in the order of the dataset.
    columns : dict of str to torch.Tensor
        Their values [N, ...].

    Raises
    ------
    ValueError
        If there is no clip, or one occurs twice in a process.

    Example
    -------
    >>> first = (["a", "b"], {"x": torch.tensor([1, 2])})
    >>> join_rows([first, (["c"], {"x": torch.tensor([3])})])
    (['a', 'b', 'c'], {'x': tensor([1, 2, 3])})
    """
    shares = gather(batches)
    for share in shares:
        times = Counter(id_ for names, _ in share for id_ in names)
        twice = [id_ for id_, number in times.items() if number > 1]
        if twice:
            raise ValueError(
                f"The clips {name_some(twice)} occur more than once: each "
                "clip of a split needs an id of its own."
            )
    dealt = [b for turn in zip_longest(*shares) for b in turn if b is not None]
    if not dealt:
        raise ValueError("There is no clip to evaluate.")
    ids = [id_ for names, _ in dealt for id_ in names]
    # A loader that the processes did not share gave each of them all clips.
    places = {id_: place for place, id_ in reversed(list(enumerate(ids)))}
    keep = sorted(places.values())
    columns = {
        name: torch.cat([columns[name] for _, columns in dealt])[keep]
        for name in dealt[0][1]
    }
    return [ids[place] for place in keep], columns


def wrap(
    module: nn.Module, device: str, backend: str, find_unused_parameters: bool
) -> nn.Module:
    """Wraps a module for data-parallel training.

    On a GPU, PyTorch's BatchNorm becomes ``SyncBatchNorm``, which does not
    work on a CPU: there each process normalizes by its own share of a batch,
    and the first process's running statistics are used (``share_buffers``).

    Arguments
    ---------
    module : torch.nn.Module
        A module with parameters that train.
    device : str
        Device of this process.
    backend : str
        Backend of ``torch.distributed``.
    find_unused_parameters : bool
        Option of ``DistributedDataParallel``.

    Returns
    -------
    DistributedDataParallel
        Its forward pass outside of training calls no other process, so that
        shares of an evaluation may differ in size.
    """
    on_cpu = torch.device(device).type == "cpu"
    if not on_cpu:
        module = nn.SyncBatchNorm.convert_sync_batchnorm(module)
    elif rank() == 0 and any(
        isinstance(m, nn.BatchNorm1d) for m in module.modules()
    ):
        logger.warning(
            "BatchNorm is not synchronized on CPUs: each process normalizes "
            "by its own share of a batch, which is another training than a "
            "single process's."
        )
    return DistributedDataParallel(
        module,
        device_ids=None if backend == "gloo" else [device],
        find_unused_parameters=find_unused_parameters,
        broadcast_buffers=False,
    )


def share_buffers(module: nn.Module) -> None:
    """Copies the buffers of the first process to all others."""
    if is_distributed_initialized():
        for buffer in module.buffers():
            distributed.broadcast(buffer, src=0)


def unwrap(module: nn.Module) -> Any:
    """Returns the module inside data parallelism and ``torch.compile``."""
    if isinstance(module, (DataParallel, DistributedDataParallel)):
        module = module.module
    return getattr(module, "_orig_mod", module)
