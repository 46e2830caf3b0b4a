"""ParallelBrain: several processes train, evaluate and resume as one."""

import os
from typing import Any

from speechbrain_petl.training import parallel
from speechbrain_petl.training.finite_loss import FiniteLossBrain
from speechbrain_petl.training.rng import RandomState, seed_processes_apart
from torch import Generator
from torch.utils.data import (
    DataLoader,
    Dataset,
    DistributedSampler,
    IterableDataset,
)

import speechbrain as sb


class ParallelBrain(FiniteLossBrain):
    """A ``Brain`` whose processes differ in their random numbers only.

    Each process augments and drops out by random numbers of its own, which a
    checkpoint restores. Validation and test sets are shared out; metrics are
    those of a single process.

    Arguments
    ---------
    See ``speechbrain.core.Brain``.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.checkpointer is not None:
            self.checkpointer.add_recoverable("rng", RandomState())

    def make_dataloader(
        self,
        dataset: Dataset,
        stage: sb.Stage,
        ckpt_prefix: str | None = "dataloader-",
        **loader_kwargs: Any,
    ) -> DataLoader:
        """Like ``Brain.make_dataloader``, for resumed and parallel runs.

        Draws nothing from the global generator: an epoch that is resumed
        halfway makes its iterator once more, and must not draw once more. Of
        several processes, each evaluates a share, and the order of training
        clips depends on the seed.
        """
        loader_kwargs.setdefault("generator", Generator())
        if (
            stage != sb.Stage.TRAIN
            and parallel.n_processes() > 1
            and not isinstance(dataset, IterableDataset)
        ):
            loader_kwargs = parallel.own_batches(dataset, loader_kwargs)
        loader = super().make_dataloader(
            dataset, stage, ckpt_prefix, **loader_kwargs
        )
        if isinstance(self.train_sampler, DistributedSampler):
            self.train_sampler.seed = int(os.environ.get("SB_GLOBAL_SEED", 0))
        return loader

    def on_fit_start(self) -> None:
        """Like ``Brain.on_fit_start``, with random numbers of each process."""
        seed_processes_apart()
        super().on_fit_start()

    def _wrap_distributed(self) -> None:
        """Wraps what trains; see ``parallel.wrap``."""
        if not self.distributed_launch:
            super()._wrap_distributed()
            return
        for name, module in self.modules.items():
            if any(p.requires_grad for p in module.parameters()):
                self.modules[name] = parallel.wrap(
                    module,
                    self.device,
                    self.distributed_backend,
                    self.find_unused_parameters,
                )

    def on_stage_start(self, stage: sb.Stage, epoch: int | None = None) -> None:
        """Copies the first process's buffers to all, to evaluate with."""
        super().on_stage_start(stage, epoch)
        if stage != sb.Stage.TRAIN:
            parallel.share_buffers(self.modules)
