"""UpdatingBrain: every batch of an epoch belongs to an update."""

from typing import Any

import torch
from torch.utils.data import DataLoader

import speechbrain as sb
from speechbrain.dataio.batch import PaddedBatch
from speechbrain.dataio.dataloader import LoopedLoader


class UpdatingBrain(sb.Brain):
    """A ``Brain`` that accumulates gradients over whole epochs.

    An update is made of ``grad_accumulation_factor`` batches. Where that does
    not divide the number of batches, the left-over ones make a last, smaller
    update of the epoch. (``Brain`` drops them, which is all of them when the
    factor exceeds their number.) The gradient is the mean over an update's
    clips, as of one large batch: a short last batch weighs less.

    Arguments
    ---------
    See ``speechbrain.core.Brain``. ``plan_updates`` is called before ``fit``.
    """

    batch_sizes: list[int]

    def plan_updates(self, loader: DataLoader | LoopedLoader) -> int:
        """Notes the batches of an epoch.

        Arguments
        ---------
        loader : DataLoader or LoopedLoader
            The training set's.

        Returns
        -------
        int
            The number of updates an epoch.

        Raises
        ------
        ValueError
            If there is no batch.
        """
        self.batch_sizes = batch_sizes(loader)
        if not self.batch_sizes:
            raise ValueError(
                "The training set gives no batch: it needs a clip, and with "
                "drop_last as many as batch_size."
            )
        if self.debug:
            del self.batch_sizes[self.debug_batches :]
        return -(-len(self.batch_sizes) // self.grad_accumulation_factor)

    def _update(self) -> range:
        """Returns the steps of the update that the present step belongs to."""
        factor = self.grad_accumulation_factor
        first = self.step - (self.step - 1) % factor
        return range(first, min(first + factor, len(self.batch_sizes) + 1))

    def on_update_start(self) -> None:
        """Called before the first batch of each update."""

    def fit_batch(self, batch: PaddedBatch) -> torch.Tensor:
        """Like ``Brain.fit_batch``, for updates of any number of batches."""
        steps = self._update()
        clips = sum(self.batch_sizes[step - 1] for step in steps)
        should_step = self.step == steps[-1]
        if self.step == steps[0]:
            self.on_update_start()
        self.on_fit_batch_start(batch, should_step)
        with self.no_sync(not should_step):
            with self.training_ctx:
                outputs = self.compute_forward(batch, sb.Stage.TRAIN)
                loss = self.compute_objectives(outputs, batch, sb.Stage.TRAIN)
            share = clips / self.batch_sizes[self.step - 1]
            scaled_loss = self.scaler.scale(loss / share)
            self.check_loss_isfinite(scaled_loss)
            scaled_loss.backward()
        if should_step:
            self.optimizers_step()
        self.on_fit_batch_end(batch, outputs, loss, should_step)
        return loss.detach().cpu()

    def _should_save_intra_epoch_ckpt(self, *args) -> bool:
        """Saves between updates only: gradients are in no checkpoint."""
        between = self.step == self._update()[-1]
        return between and super()._should_save_intra_epoch_ckpt(*args)


def batch_sizes(loader: DataLoader | LoopedLoader) -> list[int]:
    """Returns the number of clips of each batch of an epoch.

    Where the loader does not say (a batch sampler of one's own), all batches
    count as equal.

    Example
    -------
    >>> batch_sizes(DataLoader(range(10), batch_size=4))
    [4, 4, 2]
    """
    size = getattr(loader, "batch_size", None) or 1
    sizes = [size] * len(loader)
    if sizes and size > 1 and not loader.drop_last:
        clips: Any = loader.sampler
        sizes[-1] = len(clips) - size * (len(loader) - 1)
    return sizes
