"""FiniteLossBrain: no update is made from a loss that is not finite."""

import logging

import torch
from speechbrain_petl.utils.messages import name_some

import speechbrain as sb
from speechbrain.utils.distributed import is_distributed_initialized

logger = logging.getLogger(__name__)


class FiniteLossBrain(sb.Brain):
    """A ``Brain`` that stops at a loss that is not finite, naming the clips.

    ``Brain`` itself counts such losses and takes their steps all the same,
    which loses the weights. Here ``nonfinite_patience``, SpeechBrain's
    option, says how many updates an epoch may be left out instead.

    Arguments
    ---------
    See ``speechbrain.core.Brain``; batches have an ``id``.
    """

    skips = False

    def on_fit_batch_start(self, batch, should_step):
        """Remembers which clips to name if their loss is not finite."""
        super().on_fit_batch_start(batch, should_step)
        self.batch_ids = batch.id

    def check_loss_isfinite(self, loss):
        """Stops at a loss that is not finite, or skips the update.

        ``nonfinite_patience`` updates an epoch may be skipped. (``Brain``
        would take these steps, and lose the weights.)
        """
        bad = ~torch.isfinite(loss.detach())
        if is_distributed_initialized():
            bad = bad.int()
            torch.distributed.all_reduce(bad, torch.distributed.ReduceOp.MAX)
        if not bad:
            return
        self.nonfinite_count += 1
        message = (
            f"The loss is not finite at step {self.step} of the epoch, with "
            f"the clips {name_some(self.batch_ids)}"
        )
        if self.nonfinite_count > self.nonfinite_patience:
            raise ValueError(
                f"{message}: look at these clips, lower lr, set precision to "
                "fp32, or allow updates to be skipped by nonfinite_patience."
            )
        logger.warning(f"{message}: this update is skipped.")
        self.skips = True

    def optimizers_step(self):
        """Updates, unless a loss of this update was not finite."""
        if self.skips:
            self.skips = False
            self.zero_grad()
        else:
            super().optimizers_step()
