"""TaskBrain: what a task keeps of each clip, and measures on a split."""

from collections.abc import Mapping
from typing import Any

import torch
from speechbrain_petl.training import parallel
from speechbrain_petl.training.parallel import join_rows
from speechbrain_petl.training.parallel_brain import ParallelBrain
from speechbrain_petl.training.windows import by_windows

import speechbrain as sb
from speechbrain.dataio.batch import PaddedBatch

Rows = dict[str, torch.Tensor]


class TaskBrain(ParallelBrain):
    """A ``Brain`` that evaluates clip by clip.

    A kind of task is a subclass with ``metrics``, ``rows``, ``measure`` and
    ``write_results``.

    Arguments
    ---------
    See ``speechbrain.core.Brain``; batches have an ``id``.
    """

    #: Direction, ``max`` or ``min``, of each metric of the task.
    metrics: Mapping[str, str] = {"loss": "min"}
    #: What the run's artefact is for, see ``artefacts.tasks``.
    task: str = "classification"

    def rows(self, predictions: torch.Tensor, batch: PaddedBatch) -> Rows:
        """Returns what the task keeps of an evaluated batch.

        Arguments
        ---------
        predictions : torch.Tensor
            Output of ``compute_forward``.
        batch : PaddedBatch
            The batch.

        Returns
        -------
        dict of str to torch.Tensor
            Columns of values [B, ...], a row a clip.
        """
        raise NotImplementedError

    def measure(self, rows: Rows) -> dict[str, float]:
        """Returns the task's metrics of a split, all but ``loss``.

        Arguments
        ---------
        rows : dict of str to torch.Tensor
            Columns of values [N, ...] as ``rows`` gives them, on the CPU.
        """
        raise NotImplementedError

    def choose(self, rows: Rows) -> dict[str, Any]:
        """Returns what is chosen on the validation set to decide by.

        It is kept in the checkpoint of the epoch.

        Arguments
        ---------
        rows : dict of str to torch.Tensor
            Columns of values [N, ...] as ``rows`` gives them, on the CPU.
        """
        return {}

    def decision(self) -> dict[str, Any]:
        """Returns what the artefact records for inference to decide by."""
        return {}

    def write_results(
        self, ids: list[str], rows: Rows, facts: dict[str, Any]
    ) -> None:
        """Writes what a finished run leaves in its output folder.

        Arguments
        ---------
        ids : list of str
            Clips of the test set.
        rows : dict of str to torch.Tensor
            Their columns of values [N, ...] as ``rows`` gives them.
        facts : dict
            What every task records: metrics, the epoch and how it was
            selected, trainable parameters.
        """
        raise NotImplementedError

    def on_stage_start(self, stage: sb.Stage, epoch: int | None = None) -> None:
        """Forgets what was evaluated in the stage before."""
        super().on_stage_start(stage, epoch)
        self.evaluated: list[tuple[list[str], Rows]] = []

    def join_windows(self, predictions: torch.Tensor) -> torch.Tensor:
        """Returns a clip's prediction [...] of its windows' [n, ...].

        The mean by default.
        """
        return predictions.mean(dim=0)

    def predict(self, batch: PaddedBatch, stage: sb.Stage) -> torch.Tensor:
        """Returns the predictions of a batch that is evaluated.

        Long clips are read by windows, as the front end has it. A brain
        without one reads whole clips.
        """
        if "compute_features" not in self.modules:
            return self.compute_forward(batch, stage)
        return by_windows(
            batch,
            parallel.unwrap(self.modules.compute_features),
            lambda windows: self.compute_forward(windows, stage),
            self.join_windows,
        )

    @torch.no_grad()
    def evaluate_batch(
        self, batch: PaddedBatch, stage: sb.Stage
    ) -> torch.Tensor:
        """Like ``Brain.evaluate_batch``; keeps the task's rows and the loss."""
        with self.evaluation_ctx:
            predictions = self.predict(batch, stage)
            loss = self.compute_objectives(predictions, batch, stage)
        self.check_evaluated(predictions, loss, batch)
        rows = {
            name: values.detach().cpu()
            for name, values in self.rows(predictions, batch).items()
        }
        loss = loss.detach().cpu()
        rows["loss"] = loss.double().expand(len(batch.id))
        self.evaluated.append((list(batch.id), rows))
        return loss

    def measure_stage(self) -> tuple[list[str], Rows, dict[str, float]]:
        """Joins what all processes evaluated, and measures it.

        Returns
        -------
        ids : list of str
            Clips of the split.
        rows : dict of str to torch.Tensor
            Their columns of values.
        stats : dict of str to float
            All metrics; the loss is averaged over clips, not over batches.
        """
        ids, rows = join_rows(self.evaluated)
        loss = rows.pop("loss").mean().item()
        return ids, rows, {"loss": loss, **self.measure(rows)}
