"""FiniteLossBrain: nothing is learned or measured from what is not finite."""

import logging

import torch
from speechbrain_petl.training.updates import UpdatingBrain
from speechbrain_petl.utils.messages import name_some

from speechbrain.dataio.batch import PaddedBatch
from speechbrain.utils.distributed import ddp_all_reduce

logger = logging.getLogger(__name__)


class FiniteLossBrain(UpdatingBrain):
    """A ``Brain`` that stops at a loss that is not finite, naming the clips.

    ``Brain`` itself counts such losses and takes their steps all the same,
    which loses the weights. Here ``nonfinite_patience``, SpeechBrain's
    option, is the number of updates that may be skipped in an epoch. The same
    holds for gradients whose norm is not finite: clipping would make all of
    them NaN. (With fp16, the gradient scaler looks after them.) A
    skipped update leaves nothing behind: buffers that its batches changed,
    such as BatchNorm's running statistics, are restored too. In validation
    and test, a loss or an output that is not finite raises an error.

    Arguments
    ---------
    See ``speechbrain.core.Brain``; batches have an ``id``.
    """

    skips = False

    def on_update_start(self) -> None:
        """Keeps the buffers, as far as an update may be skipped."""
        self.skips = False
        self._update_ids: list[str] = []
        self._kept = []
        if self.nonfinite_patience:
            self._kept = [(b, b.clone()) for b in self.modules.buffers()]

    def on_fit_batch_start(self, batch: PaddedBatch, should_step: bool) -> None:
        """Notes the clips to name if their loss is not finite."""
        super().on_fit_batch_start(batch, should_step)
        self.batch_ids = batch.id
        self._update_ids += batch.id

    def check_loss_isfinite(self, loss: torch.Tensor) -> None:
        """Raises an error if the loss is not finite, or skips the update."""
        bad = (~torch.isfinite(loss.detach())).int()
        if not ddp_all_reduce(bad, torch.distributed.ReduceOp.MAX):
            return
        self._skip("loss is", self.batch_ids)

    def _skip(self, what: str, clips: list[str]) -> None:
        """Skips the update, or raises an error if there were too many."""
        message = (
            f"The {what} not finite at step {self.step} of the epoch, with "
            f"the clips {name_some(clips)}"
        )
        self.nonfinite_count += not self.skips
        if self.nonfinite_count > self.nonfinite_patience:
            raise ValueError(
                f"{message}: look at these clips, lower lr, set precision to "
                "fp32, or allow updates to be skipped by nonfinite_patience."
            )
        logger.warning(f"{message}: this update is skipped.")
        self.skips = True

    def clip_gradients(self) -> None:
        """Clips the gradients, or skips the update if they are not finite.

        They are the same on every process.

        Raises
        ------
        ValueError
            If they are not finite and no more updates may be skipped.
        """
        trained = [p for p in self.modules.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm([p.grad for p in trained])
        if norm.isfinite():
            torch.nn.utils.clip_grads_with_norm_(
                trained, self.max_grad_norm, norm
            )
        else:
            self._skip("gradients are", self._update_ids)

    def optimizers_step(self) -> None:
        """Updates, unless a loss or a gradient of it was not finite."""
        if not self.skips and self.scaler.is_enabled():
            super().optimizers_step()
            return
        if not self.skips:
            self.clip_gradients()
        if not self.skips:  # as in Brain, which would measure the norm again
            for one in self.freeze_optimizers(self.optimizers_dict).values():
                one.step()
            self.optimizer_step += 1
            self.zero_grad(set_to_none=True)
            return
        self.zero_grad()
        with torch.no_grad():
            for buffer, before in self._kept:
                buffer.copy_(before)

    def check_evaluated(
        self, outputs: torch.Tensor, loss: torch.Tensor, batch: PaddedBatch
    ) -> None:
        """Raises an error if an evaluated batch is not finite.

        Arguments
        ---------
        outputs : torch.Tensor
            Outputs [B, ...] of the model.
        loss : torch.Tensor
            Loss of the batch.
        batch : PaddedBatch
            The batch, whose clips the message names.

        Raises
        ------
        ValueError
            If an output or the loss is infinite or not a number.
        """
        finite = torch.isfinite(outputs.reshape(len(outputs), -1)).all(dim=1)
        bad = [
            name
            for name, good in zip(batch.id, finite.tolist(), strict=True)
            if not good
        ]
        if not bad and torch.isfinite(loss):
            return
        what = "output of the model" if bad else "loss"
        raise ValueError(
            f"The {what} is not finite for the clips "
            f"{name_some(bad or batch.id)}: look at these clips, lower lr, or "
            "set precision and eval_precision to fp32."
        )
