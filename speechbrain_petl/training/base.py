"""PETLBrain: all of a training that does not depend on the task."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from speechbrain_petl.training import parallel
from speechbrain_petl.training.mixup import refuse_stored
from speechbrain_petl.training.precision import settle_precision
from speechbrain_petl.training.selection import best_epoch, check_metric
from speechbrain_petl.training.storing_brain import StoringBrain
from speechbrain_petl.utils.summary import LAST
from torch import nn
from torch.utils.data import DataLoader, Dataset

import speechbrain as sb
from speechbrain.dataio.batch import PaddedBatch, PaddedData
from speechbrain.dataio.dataloader import LoopedLoader
from speechbrain.dataio.encoder import CategoricalEncoder
from speechbrain.utils.checkpoints import Checkpointer, ckpt_recency
from speechbrain.utils.distributed import run_on_main
from speechbrain.utils.epoch_loop import EpochCounter

if TYPE_CHECKING:  # it warns as it is imported; see quiet.py
    from speechbrain.utils.train_logger import TrainLogger

logger = logging.getLogger(__name__)


class PETLBrain(StoringBrain):
    """Trains an adapted backbone with a new head, and tests its best epoch.

    A task is a subclass that says what ``TaskBrain`` leaves open; a recipe is
    a subclass of a task's with ``compute_forward`` and
    ``compute_objectives``.

    Gradients are clipped by ``max_grad_norm`` as in any ``Brain``; the
    recipes set it to infinity, since the papers do not clip.

    Arguments
    ---------
    modules : dict of str to torch.nn.Module
        ``compute_features`` (front end), ``augment`` (of features
        [B, mel, frame], training only) and ``encoder`` (a ``PETLModel``).
        Where ``stored_states`` says so, the brain splits the encoder and runs
        its frozen part once a clip (see ``SplitEncoder``). ``mix`` (a ``Mixup`` of training
        batches) is optional.
    classifier : callable
        Makes the head from the width of the embeddings and the number of
        classes: the corpus, not the YAML, says how many there are.
    label_encoder : CategoricalEncoder
        Label map of the corpus.
    opt_class : callable
        Makes the optimizer from the parameters that train.
    lr_annealing : callable
        Makes the schedule from the optimizer and ``T_max``, the number of
        updates. It steps after each of them.
    loggers : list of TrainLogger
        Loggers of each epoch and of the test.
    selects : str
        Metric of the validation set that selects the epoch to test: one of
        the task's ``metrics``.
    hparams : dict
        Hyperparameters. ``backbone``, ``output_folder`` and, for stored
        states, ``data_folder`` are read. Where ``precision`` is ``auto``,
        ``settle_precision`` decides.
    run_opts : RunOptions or dict
        SpeechBrain's options.
    checkpointer : Checkpointer, optional
        Where training is saved and resumed from; the head is added to it.
    **storing : dict
        Arguments of ``StoringBrain`` that say which states are stored.

    Raises
    ------
    ValueError
        If the task does not have the metric that selects, or states are to
        be stored of a model that has none to store.
    """

    def __init__(
        self,
        modules: dict[str, nn.Module],
        classifier: Callable[[int, int], nn.Module],
        label_encoder: CategoricalEncoder,
        opt_class: Callable[..., torch.optim.Optimizer],
        lr_annealing: Callable[..., Any],
        loggers: list["TrainLogger"],
        selects: str,
        hparams: dict[str, Any],
        run_opts: Any = None,
        checkpointer: Checkpointer | None = None,
        **storing: Any,
    ):
        check_metric(selects, self.metrics)
        self.selects = selects
        self.best_epoch = best_epoch(selects, self.metrics[selects])
        self.label_encoder = label_encoder
        self.lr_annealing = lr_annealing
        self.loggers = loggers
        head = classifier(modules["encoder"].embedding_size, len(label_encoder))
        if checkpointer is not None:
            checkpointer.add_recoverable("classifier", head)
        device = (run_opts or {}).get("device")
        hparams = {**hparams, **settle_precision(hparams, device)}
        super().__init__(
            modules={**modules, "classifier": head},
            opt_class=opt_class,
            hparams=hparams,
            run_opts=run_opts,
            checkpointer=checkpointer,
            **storing,
        )

    def fit(
        self,
        epoch_counter: EpochCounter,
        train_set: Dataset | DataLoader | LoopedLoader,
        valid_set: Dataset | DataLoader | None = None,
        progressbar: bool | None = None,
        train_loader_kwargs: dict[str, Any] | None = None,
        valid_loader_kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Like ``Brain.fit``; counts the updates for the schedule first."""
        train_loader_kwargs = train_loader_kwargs or {}
        valid_loader_kwargs = valid_loader_kwargs or {}
        if self.store is not None and "mix" in self.modules:
            refuse_stored(self.modules.mix)
        if not self.test_only:
            train_set, train_loader_kwargs = self.store_states(
                train_set, train_loader_kwargs, sb.Stage.TRAIN
            )
            valid_set, valid_loader_kwargs = self.store_states(
                valid_set, valid_loader_kwargs, sb.Stage.VALID
            )
        if not isinstance(train_set, (DataLoader, LoopedLoader)):
            train_set = self.make_dataloader(
                train_set, sb.Stage.TRAIN, **train_loader_kwargs
            )
        self.updates_per_epoch = self.plan_updates(train_set)
        self.total_updates = self.updates_per_epoch * epoch_counter.limit
        self.validates = valid_set is not None
        super().fit(
            epoch_counter,
            train_set,
            valid_set,
            progressbar,
            valid_loader_kwargs=valid_loader_kwargs,
        )

    def init_optimizers(self) -> None:
        """Makes the optimizer of what trains, and its schedule."""
        counts = self.count_parameters().items()
        logger.info(
            "Trainable parameters: "
            + ", ".join(f"{kind} {count:,}" for kind, count in counts)
        )
        trained = [p for p in self.modules.parameters() if p.requires_grad]
        self.optimizer = self.opt_class(trained)
        self.optimizers_dict = {"opt_class": self.optimizer}
        self.schedule = self.lr_annealing(
            self.optimizer, T_max=self.total_updates
        )
        if self.checkpointer is not None:
            self.checkpointer.add_recoverable("optimizer", self.optimizer)
            self.checkpointer.add_recoverable("schedule", self.schedule)

    def on_fit_batch_start(self, batch: PaddedBatch, should_step: bool) -> None:
        """Mixes the clips and their targets, where the recipe mixes."""
        super().on_fit_batch_start(batch, should_step)
        if "mix" in self.modules and sb.Stage.TRAIN not in self.stored:
            wavs, lens = batch.sig
            wavs, batch.target = self.modules.mix(
                wavs, lens, batch.target.data, len(self.label_encoder)
            )
            batch.sig = PaddedData(wavs, lens)

    def on_fit_batch_end(
        self,
        batch: PaddedBatch,
        outputs: torch.Tensor,
        loss: torch.Tensor,
        should_step: bool,
    ) -> None:
        """Anneals the learning rate once per update."""
        if should_step:
            self.schedule.step()

    def on_stage_end(
        self, stage: sb.Stage, stage_loss: float, epoch: int | None = None
    ) -> None:
        """Logs, keeps the best and the last checkpoint, writes results."""
        if stage == sb.Stage.TRAIN:
            losses = parallel.gather(float(stage_loss))
            self.train_stats = {"loss": sum(losses) / len(losses)}
            if not self.validates:
                self._end_epoch(epoch, None)
            return
        ids, rows, stats = self.measure_stage()
        if stage == sb.Stage.VALID:
            self._end_epoch(epoch, stats, self.choose(rows))
        else:
            self._log({"Epoch loaded": self.best["epoch"]}, test_stats=stats)
            facts = {**stats, **self._facts()}
            run_on_main(self.write_results, args=[ids, rows, facts])

    def _log(self, meta: dict[str, Any], **stats: Any) -> None:
        """Logs to every logger of the recipe."""
        for train_logger in self.loggers:
            train_logger.log_stats(meta, **stats)

    def _end_epoch(
        self,
        epoch: int | None,
        valid_stats: dict[str, float] | None,
        chosen: dict[str, Any] | None = None,
    ) -> None:
        """Logs an epoch and saves its checkpoint."""
        rate = self.optimizer.param_groups[0]["lr"]
        self._log(
            {"epoch": epoch, "lr": rate},
            train_stats=self.train_stats,
            valid_stats=valid_stats,
        )
        if self.checkpointer is not None:
            self.checkpointer.save_and_keep_only(
                meta={"epoch": epoch, **(valid_stats or {}), **(chosen or {})},
                importance_keys=[self.best_epoch, ckpt_recency],
                keep_recent=False,
            )

    def on_evaluate_start(
        self, max_key: str | None = None, min_key: str | None = None
    ) -> None:
        """Loads the best epoch; refuses to test a model never trained."""
        checkpoint = None
        if self.checkpointer is not None:
            checkpoint = self.checkpointer.recover_if_possible(
                importance_key=self.best_epoch,
                ckpt_predicate=lambda c: "epoch" in c.meta,
            )
        if checkpoint is None:
            raise ValueError(
                f"There is no finished epoch in '{self.hparams.output_folder}' "
                "to test: train first, or give the output_folder of a run."
            )
        self.best = checkpoint.meta

    def _facts(self) -> dict[str, Any]:
        """Returns what results.json says of the epoch and the model."""
        valid = {f"valid_{name}": self.best.get(name) for name in self.metrics}
        chosen = self.selects in self.best
        return {
            "selects": self.selects,
            "direction": self.metrics[self.selects],
            "best_epoch": self.best["epoch"],
            "epoch_chosen_by": f"valid_{self.selects}" if chosen else LAST,
            **valid,
            "trainable": self.count_parameters(),
            **({"stored": self.store.record()} if self.store else {}),
        }

    def trained_head(self) -> nn.Module:
        """Returns the head that the artefact has."""
        return parallel.unwrap(self.modules.classifier)

    def label_map(self) -> CategoricalEncoder:
        """Returns the labels of the artefact's head."""
        return self.label_encoder

    def count_parameters(self) -> dict[str, int]:
        """Trainable parameters: method, LayerNorms, final LayerNorm, head."""
        head = self.modules.classifier.parameters()
        return {
            **parallel.unwrap(self.modules.encoder).count_parameters(),
            "head": sum(p.numel() for p in head if p.requires_grad),
        }
