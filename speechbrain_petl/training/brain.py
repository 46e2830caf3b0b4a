"""AudioClassificationBrain: one label a clip."""

from collections.abc import Mapping
from typing import Any

import torch
from speechbrain_petl.dataio.windows import average
from speechbrain_petl.training.base import PETLBrain
from speechbrain_petl.training.results import TestResult, used, write_results

from speechbrain.dataio.batch import PaddedBatch


class AudioClassificationBrain(PETLBrain):
    """Trains and tests a classifier of clips with one label each.

    A recipe's subclass has ``compute_forward``, which returns logits
    [B, classes], and ``compute_objectives``, which returns their loss.

    Arguments
    ---------
    See ``PETLBrain``; batches have a ``target``, the index of the label.
    """

    metrics: Mapping[str, str] = {
        "accuracy": "max",
        "unweighted_accuracy": "max",
        "loss": "min",
    }

    def join_windows(self, predictions: torch.Tensor) -> torch.Tensor:
        """Returns the mean posteriors of windows, as logits [classes]."""
        return average(predictions.log_softmax(dim=-1))

    def rows(
        self, predictions: torch.Tensor, batch: PaddedBatch
    ) -> dict[str, torch.Tensor]:
        """Returns targets [B] and logits [B, classes]."""
        return {"targets": batch.target, "logits": predictions.float()}

    def measure(self, rows: dict[str, torch.Tensor]) -> dict[str, float]:
        """Returns the accuracy, and the mean of the classes' recalls."""
        result = TestResult([], **rows)
        return {
            "accuracy": result.accuracy(),
            "unweighted_accuracy": result.unweighted_accuracy(),
        }

    def write_results(
        self,
        ids: list[str],
        rows: dict[str, torch.Tensor],
        facts: dict[str, Any],
    ) -> None:
        """Writes results.json, predictions.csv and the confusion matrix."""
        write_results(
            self.hparams.output_folder,
            TestResult(ids, **rows),
            self.label_encoder,
            facts,
            {**vars(self.hparams), **used(self)},
        )
