"""SpeakerVerificationBrain: trained by classes, judged by trials."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from speechbrain_petl.dataio.trials import Trial, keep_trials
from speechbrain_petl.training import parallel
from speechbrain_petl.training.base import PETLBrain
from speechbrain_petl.training.embeddings import (
    SCORINGS,
    check_scoring,
    embed_utterances,
    mean_of_windows,
)
from speechbrain_petl.training.metrics.score_norm import (
    cohort_statistics,
    normalize_scores,
)
from speechbrain_petl.training.results import used
from speechbrain_petl.training.verification_results import (
    Scored,
    write_verification,
)
from torch import nn

import speechbrain as sb
from speechbrain.dataio.batch import PaddedBatch
from speechbrain.dataio.encoder import CategoricalEncoder


class SpeakerVerificationBrain(PETLBrain):
    """Trains embeddings by telling speakers apart, and tests them by trials.

    A recipe's subclass has ``compute_forward``, which returns outputs
    [B, speakers] for the loss in training and ``embed(...)`` in validation
    and test, and ``compute_objectives``, which returns the loss. Validation
    and test have other speakers, hence no loss. Each utterance is embedded
    once, in however many trials it is.

    Arguments
    ---------
    *args, **kwargs
        As of ``PETLBrain``; the head is one as ``EmbeddingHead``. Batches of
        validation and test have ``id`` and ``sig``.
    trials : mapping of str to sequence of Trial
        Trials of ``valid`` and ``test``; none of ``valid`` where no speaker
        is held out.
    scoring : str
        How two utterances are compared: a key of ``SCORINGS``.
    score_norm : str, optional
        Kind of score normalization, ``z``, ``t`` or ``s``; of the test only,
        since a cohort is not embedded at each epoch.
    cohort_top : int, optional
        How many of the highest cohort scores count; all by default.

    Raises
    ------
    ValueError
        If the options of scores do not go together.
    """

    metrics: Mapping[str, str] = {
        "eer": "min",
        "min_dcf": "min",
        "min_dcf_miss_10": "min",
        "min_dcf_unnormalized": "min",
    }
    task = "embedding"
    #: Windows of utterances are not stored.
    storable = frozenset({sb.Stage.TRAIN})

    def __init__(
        self,
        *args: Any,
        trials: Mapping[str, Sequence[Trial]],
        scoring: str = "cosine",
        score_norm: str | None = None,
        cohort_top: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        windows = parallel.unwrap(self.modules.compute_features).windows
        check_scoring(scoring, windows, score_norm)
        self.scoring = scoring
        self.score_norm = score_norm
        self.cohort_top = cohort_top
        self.trials = {
            sb.Stage.VALID: trials.get("valid", []),
            sb.Stage.TEST: trials["test"],
        }
        #: Embeddings of the cohort [speakers, d]; none without ``score_norm``.
        self.cohort: torch.Tensor | None = None

    def embed(
        self, wavs: torch.Tensor, lens: torch.Tensor | None
    ) -> torch.Tensor:
        """Computes embeddings [B, windows, d] of waveforms [B, samples]."""
        head = parallel.unwrap(self.modules.classifier)

        def embed(feats, shares):
            """Embeds windows."""
            return head.embed(self.modules.encoder(feats, shares))

        front_end = parallel.unwrap(self.modules.compute_features)
        return embed_utterances(wavs, lens, front_end, embed)

    def on_stage_start(self, stage: sb.Stage, epoch: int | None = None) -> None:
        """Notes which trials are scored."""
        super().on_stage_start(stage, epoch)
        self.stage = stage

    @torch.no_grad()
    def evaluate_batch(
        self, batch: PaddedBatch, stage: sb.Stage
    ) -> torch.Tensor:
        """Embeds a batch; the loss of unknown speakers is 0."""
        with self.evaluation_ctx:
            embeddings = self.compute_forward(batch, stage).float()
        loss = torch.zeros(())
        self.check_evaluated(embeddings, loss, batch)
        self.evaluated.append(
            (list(batch.id), {"embeddings": embeddings.cpu()})
        )
        return loss

    def measure_stage(self) -> tuple[list[str], dict, dict[str, float]]:
        """Scores the trials of the stage, on every process alike.

        Returns
        -------
        ids : list of str
            Utterances of the split.
        rows : dict of str to torch.Tensor
            ``embeddings`` [utterances, windows, d].
        stats : dict of str to float
            Error rates, and in validation the threshold of equal errors.
        """
        ids, rows = parallel.join_rows(self.evaluated)
        self.raw = self.score(ids, rows["embeddings"])
        self.scored = self.raw
        if self.cohort is not None:
            self.scored = self._normalize(self.raw, rows["embeddings"])
        stats = self.scored.metrics()
        if self.stage == sb.Stage.VALID:
            stats["threshold"] = self.raw.equal_error_threshold()
        return ids, rows, stats

    def score(self, ids: Sequence[str], embeddings: torch.Tensor) -> Scored:
        """Scores the trials of the stage.

        Arguments
        ---------
        ids : sequence of str
            Utterances.
        embeddings : torch.Tensor
            Their embeddings [utterances, windows, d].

        Returns
        -------
        Scored
        """
        trials = self.trials[self.stage]
        if self.debug:  # a few batches were embedded, and no more
            trials = keep_trials(trials, set(ids), self.stage.name.lower())
        places = {id_: row for row, id_ in enumerate(ids)}
        first = torch.tensor([places[trial.first] for trial in trials])
        second = torch.tensor([places[trial.second] for trial in trials])
        targets = torch.tensor([trial.target for trial in trials])
        scores = SCORINGS[self.scoring](embeddings, first, second)
        return Scored(trials, targets, first, second, scores)

    def _normalize(self, scored: Scored, embeddings: torch.Tensor) -> Scored:
        """Normalizes the scores of trials by the cohort."""
        statistics = cohort_statistics(
            mean_of_windows(embeddings), self.cohort, self.cohort_top
        )
        scores = normalize_scores(
            scored.scores,
            scored.first,
            scored.second,
            statistics,
            self.score_norm,
        )
        return scored._replace(scores=scores)

    def evaluate(
        self,
        test_set: Any,
        cohort_set: Any = None,
        test_loader_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> torch.Tensor:
        """Like ``Brain.evaluate``, with a cohort to normalize scores by.

        Arguments
        ---------
        test_set : Dataset
            Utterances of the trials.
        cohort_set : Dataset, optional
            Training utterances with ``id``, ``sig`` and ``target``; needed
            where ``score_norm`` is given.
        test_loader_kwargs : mapping, optional
            Arguments of both loaders.
        **kwargs
            As of ``Brain.evaluate``.

        Raises
        ------
        ValueError
            If scores are to be normalized without a cohort.
        """
        options = dict(test_loader_kwargs or {})
        self._cohort_loader = None
        if self.score_norm:
            if cohort_set is None:
                raise ValueError(
                    "score_norm needs a cohort: give evaluate a cohort_set of "
                    "training utterances."
                )
            self._cohort_loader = self.make_dataloader(
                cohort_set, sb.Stage.TEST, ckpt_prefix=None, **options
            )
        return super().evaluate(test_set, test_loader_kwargs=options, **kwargs)

    def on_evaluate_start(
        self, max_key: str | None = None, min_key: str | None = None
    ) -> None:
        """Loads the best epoch, and embeds the cohort with it."""
        super().on_evaluate_start(max_key, min_key)
        if self._cohort_loader is not None:
            self.modules.eval()
            self.cohort = self._embed_cohort(self._cohort_loader)

    @torch.no_grad()
    def _embed_cohort(self, loader) -> torch.Tensor:
        """Returns the mean embedding of each speaker [speakers, d]."""
        found = []
        for batch in loader:
            with self.evaluation_ctx:
                embeddings = self.compute_forward(batch, sb.Stage.TEST)
            columns = {"embeddings": mean_of_windows(embeddings.float()).cpu()}
            columns["speaker"] = torch.as_tensor(batch.target).cpu()
            found.append((list(batch.id), columns))
        _, columns = parallel.join_rows(found)
        owners = columns["speaker"]
        return torch.stack(
            [
                columns["embeddings"][owners == speaker].mean(dim=0)
                for speaker in owners.unique()
            ]
        )

    def write_results(
        self,
        ids: list[str],
        rows: dict[str, torch.Tensor],
        facts: dict[str, Any],
    ) -> None:
        """Writes results.json, scores.csv and the curve of both errors."""
        decision = self.decision()
        missed, accepted = None, None
        if decision["threshold"] is not None:
            missed, accepted = self.raw.errors_at(decision["threshold"])
        write_verification(
            self.hparams.output_folder,
            self.scored,
            {
                "n_utterances": len(ids),
                **facts,
                **decision,
                "valid_trials": len(self.trials[sb.Stage.VALID]),
                # Of scores that are not normalized, as the artefact's are
                "miss_at_threshold": missed,
                "false_alarm_at_threshold": accepted,
            },
            {**vars(self.hparams), **used(self)},
        )

    def decision(self) -> dict[str, Any]:
        """Returns the threshold of the validation, and how scores are made."""
        return {
            "threshold": self.best.get("threshold"),
            "scoring": self.scoring,
        }

    def trained_head(self) -> nn.Module:
        """Returns the head without the training speakers."""
        return super().trained_head().without_classes()

    def label_map(self) -> CategoricalEncoder:
        """Returns no labels: an artefact knows no speaker."""
        return CategoricalEncoder()
