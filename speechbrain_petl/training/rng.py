"""The random number generators' state, as part of a checkpoint."""

import logging
import random
from typing import Any

import numpy as np
import torch
from speechbrain_petl.training.parallel import gather, n_processes, rank

from speechbrain.utils.checkpoints import (
    mark_as_loader,
    mark_as_saver,
    register_checkpoint_hooks,
)
from speechbrain.utils.distributed import if_main_process

logger = logging.getLogger(__name__)


class RandomState:
    """Saves and restores what augmentation and dropout draw from.

    With it, an interrupted run goes on with the very numbers that it would
    have drawn. Covers Python, NumPy, PyTorch's CPU and the GPU of each
    process; a checkpoint holds the states of all processes.

    Example
    -------
    >>> path = getfixture("tmp_path") / "rng.ckpt"
    >>> state = RandomState()
    >>> state.save(path)
    >>> first = torch.rand(2)
    >>> state.load(path)
    >>> torch.equal(torch.rand(2), first)
    True
    """

    @mark_as_saver
    def save(self, path) -> None:
        """Writes the states of all processes; each of them calls it."""
        states = gather(_state())
        if if_main_process():
            torch.save(states, path)

    @mark_as_loader
    def load(self, path, end_of_epoch: bool = True) -> None:
        """Restores the state of this process."""
        del end_of_epoch
        states = torch.load(path, weights_only=True)
        if len(states) == n_processes():
            _restore(states[rank()])
            return
        logger.warning(
            f"The checkpoint was written by {len(states)} processes and is "
            f"read by {n_processes()}: augmentation and dropout go on with "
            "other random numbers."
        )
        _restore(states[0])
        seed_processes_apart()


# Every process takes part in saving, not only the main one.
register_checkpoint_hooks(RandomState, save_on_main_only=False)


def seed_processes_apart() -> None:
    """Seeds each process but the first anew, from a draw of its state.

    Processes that start with one seed would mask and drop out the same in
    all of their shares of a batch.
    """
    if rank():
        seed = int(torch.randint(2**31, ())) + rank()
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed)


def _accelerator():
    """Returns the module of this process's GPU, or None."""
    if torch.cuda.is_available():
        return torch.cuda
    return torch.mps if torch.backends.mps.is_available() else None


def _state():
    """Returns the state of all generators, as plain values and tensors."""
    numpy_state: Any = np.random.get_state()
    kind, keys, position, has_gauss, gauss = numpy_state
    gpu = _accelerator()
    return {
        "torch": torch.get_rng_state(),
        "gpu": None if gpu is None else gpu.get_rng_state(),
        "python": random.getstate(),
        "numpy": (kind, keys.tolist(), position, has_gauss, gauss),
    }


def _restore(state):
    """Restores the state of all generators."""
    torch.set_rng_state(state["torch"])
    gpu = _accelerator()
    if gpu is not None and state["gpu"] is not None:
        gpu.set_rng_state(state["gpu"])
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    np.random.set_state(tuple(state["numpy"]))
