"""The random number generators' state, as part of a checkpoint."""

import random

import numpy as np
import torch

from speechbrain.utils.checkpoints import (
    mark_as_loader,
    mark_as_saver,
    register_checkpoint_hooks,
)


@register_checkpoint_hooks
class RandomState:
    """Saves and restores what augmentation and dropout draw from.

    With it, a run that was interrupted goes on with the very numbers that it
    would have drawn. Covers Python, NumPy, PyTorch's CPU and all its GPUs.
    In a data parallel run the main process's state is what is kept; the
    others go on from states that differ from it and from each other.

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
        """Writes the state of all generators."""
        kind, keys, position, has_gauss, gauss = np.random.get_state()
        torch.save(
            {
                "torch": torch.get_rng_state(),
                "cuda": torch.cuda.get_rng_state_all(),
                "python": random.getstate(),
                "numpy": (kind, keys.tolist(), position, has_gauss, gauss),
            },
            path,
        )

    @mark_as_loader
    def load(self, path, end_of_epoch: bool = True) -> None:
        """Restores the state of all generators."""
        del end_of_epoch
        states = torch.load(path, weights_only=True)
        torch.set_rng_state(states["torch"])
        if len(states["cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(states["cuda"])
        version, numbers, gauss = states["python"]
        random.setstate((version, tuple(numbers), gauss))
        np.random.set_state(tuple(states["numpy"]))
        rank = torch.distributed.get_rank() if _is_parallel() else 0
        if rank:
            torch.manual_seed(int(torch.randint(2**31, ())) + rank)


def _is_parallel():
    """Whether this is one of several processes."""
    return (
        torch.distributed.is_available() and torch.distributed.is_initialized()
    )
