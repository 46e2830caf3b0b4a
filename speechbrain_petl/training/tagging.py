"""AudioTaggingBrain: several labels a clip, or none."""

from collections.abc import Mapping
from typing import Any

import torch
from speechbrain_petl.dataio.windows import average
from speechbrain_petl.training.base import PETLBrain
from speechbrain_petl.training.metrics.tagging import score_tags
from speechbrain_petl.training.metrics.thresholds import tagging_thresholds
from speechbrain_petl.training.results import used
from speechbrain_petl.training.tag_results import TagResult, write_tag_results
from torch.nn.functional import logsigmoid

from speechbrain.dataio.batch import PaddedBatch

FALLBACK = 0.5  # threshold of a class that no validation clip has


class AudioTaggingBrain(PETLBrain):
    """Trains and tests a tagger of clips with several labels each.

    A recipe's subclass has ``compute_forward``, which returns logits
    [B, classes], and ``compute_objectives``, which returns their loss. The
    scores are the logits' sigmoids. A label is given where its score is above
    the threshold of its class, which is chosen on the validation set.

    Arguments
    ---------
    See ``PETLBrain``; batches have a ``target``, whose ``data`` [B, classes]
    is 1 where a clip has a label.
    """

    #: d' selects the epoch that the mean AUC selects.
    metrics: Mapping[str, str] = {
        "mAP": "max",
        "mAUC": "max",
        "loss": "min",
    }
    task = "tagging"

    def join_windows(self, predictions: torch.Tensor) -> torch.Tensor:
        """Returns the windows' mean probabilities, as logits [classes]."""
        yes, no = (logsigmoid(sign * predictions) for sign in (1, -1))
        return average(yes) - average(no)

    def rows(
        self, predictions: torch.Tensor, batch: PaddedBatch
    ) -> dict[str, torch.Tensor]:
        """Returns targets and logits [B, classes]."""
        return {"targets": batch.target.data, "logits": predictions.float()}

    def measure(self, rows: dict[str, torch.Tensor]) -> dict[str, float]:
        """Returns mean AP, mean AUC and d'."""
        found = score_tags(TagResult([], **rows).scores(), rows["targets"])
        return {
            "mAP": found.mean_ap,
            "mAUC": found.mean_auc,
            "d_prime": found.d_prime,
        }

    def choose(self, rows: dict[str, torch.Tensor]) -> dict[str, Any]:
        """Returns the threshold of each class with the best F-score."""
        chosen, _ = tagging_thresholds(
            TagResult([], **rows).scores(), rows["targets"], fallback=FALLBACK
        )
        return {"thresholds": chosen.tolist()}

    def decision(self) -> dict[str, Any]:
        """Returns the thresholds of the classes, in the order of the labels.

        Without a validation set they are 0.5.
        """
        fallback = [FALLBACK] * len(self.label_encoder)
        return {"thresholds": self.best.get("thresholds", fallback)}

    def write_results(
        self,
        ids: list[str],
        rows: dict[str, torch.Tensor],
        facts: dict[str, Any],
    ) -> None:
        """Writes results.json, predictions.csv and the picture of the AP."""
        write_tag_results(
            self.hparams.output_folder,
            TagResult(ids, **rows),
            self.decision()["thresholds"],
            self.label_encoder,
            facts,
            {**vars(self.hparams), **used(self)},
        )
