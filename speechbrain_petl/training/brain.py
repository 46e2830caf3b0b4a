"""AudioClassificationBrain: the training loop that the recipes extend."""

import logging

import torch
from speechbrain_petl.training.finite_loss import FiniteLossBrain
from speechbrain_petl.training.precision import best_precision
from speechbrain_petl.training.results import TestResult, used, write_results
from speechbrain_petl.training.rng import RandomState
from speechbrain_petl.training.stored_states import store_states, varies
from torch.utils.data import DataLoader

import speechbrain as sb
from speechbrain.dataio.dataloader import LoopedLoader
from speechbrain.utils.distributed import infer_device, run_on_main

logger = logging.getLogger(__name__)


def best_epoch(checkpoint) -> tuple:
    """Sorts checkpoints: validation accuracy, ties to the earlier epoch.

    Without a validation set no epoch is selected, and the last one wins.
    """
    meta = checkpoint.meta
    if "accuracy" in meta:
        return (1, meta["accuracy"], -meta["epoch"])
    return (0, 0.0, meta.get("epoch", 0))


def most_recent(checkpoint) -> float:
    """Sorts checkpoints by their time."""
    return checkpoint.meta["unixtime"]


class AudioClassificationBrain(FiniteLossBrain):
    """Trains an adapted backbone with a new head, and tests its best epoch.

    Gradients are clipped by ``max_grad_norm`` as in any ``Brain``; the
    recipes set it to infinity, since the papers do not clip.

    Arguments
    ---------
    modules : dict of str to torch.nn.Module
        ``compute_features`` (front end), ``augment`` (of features
        [B, mel, frame], training only) and ``encoder`` (a ``PETLModel``, or
        a ``SplitEncoder``, whose frozen part may run once a clip).
    classifier : callable
        Makes the head from the width of the embeddings and the number of
        classes: the corpus, not the YAML, says how many there are.
    label_encoder : CategoricalEncoder
        The corpus's label map.
    opt_class : callable
        Makes the optimizer from the parameters that train.
    lr_annealing : callable
        Makes the schedule from the optimizer and ``T_max``, the number of
        updates. It steps after each of them.
    loggers : list of TrainLogger
        What is told of each epoch and of the test.
    hparams : dict
        The hyperparameters. ``ast`` and ``output_folder`` are read, and the
        plain ones are recorded in ``results.json``. Where ``precision`` is
        ``auto``, ``best_precision`` decides.
    run_opts : RunOptions or dict
        SpeechBrain's options.
    checkpointer : Checkpointer, optional
        Where training is saved and resumed from; the head is added to it.
    """

    def __init__(
        self,
        modules,
        classifier,
        label_encoder,
        opt_class,
        lr_annealing,
        loggers,
        hparams,
        run_opts=None,
        checkpointer=None,
    ):
        self.label_encoder = label_encoder
        self.lr_annealing = lr_annealing
        self.loggers = loggers
        head = classifier(hparams["ast"].config.hidden_size, len(label_encoder))
        if checkpointer is not None:
            checkpointer.add_recoverable("classifier", head)
            checkpointer.add_recoverable("rng", RandomState())
        if hparams.get("precision") == "auto":
            device = (run_opts or {}).get("device") or infer_device()
            hparams = {**hparams, "precision": best_precision(device)}
        super().__init__(
            modules={**modules, "classifier": head},
            opt_class=opt_class,
            hparams=hparams,
            run_opts=run_opts,
            checkpointer=checkpointer,
        )

    def compute_forward(self, batch, stage):
        """Computes logits [B, classes] from waveforms [B, samples].

        Or from what ``store`` has made of them.
        """
        batch = batch.to(self.device)
        if hasattr(batch, "states"):
            embeddings = self.modules.encoder(batch.states.data)
            return self.modules.classifier(embeddings)
        wavs, lens = batch.sig
        feats = self.modules.compute_features(wavs, lens)
        if stage == sb.Stage.TRAIN:
            # SpecAugment wants [B, mel, frame].
            feats = self.modules.augment(feats.mT).mT
        return self.modules.classifier(self.modules.encoder(feats, lens))

    def fit(
        self,
        epoch_counter,
        train_set,
        valid_set=None,
        progressbar=None,
        train_loader_kwargs=None,
        valid_loader_kwargs=None,
    ):
        """As ``Brain.fit``; counts the updates for the schedule beforehand."""
        if getattr(self._encoder(), "cache", False):
            if varies(self.modules.augment):
                logger.info("Training clips are augmented, and not cached.")
            else:
                train_set, train_loader_kwargs = self.store(
                    train_set, train_loader_kwargs, self.training_ctx
                )
            if valid_set is not None:
                valid_set, valid_loader_kwargs = self.store(
                    valid_set, valid_loader_kwargs, self.evaluation_ctx
                )
        if not isinstance(train_set, (DataLoader, LoopedLoader)):
            train_set = self.make_dataloader(
                train_set, sb.Stage.TRAIN, **(train_loader_kwargs or {})
            )
        self.updates_per_epoch = max(
            1, len(train_set) // self.grad_accumulation_factor
        )
        self.total_updates = self.updates_per_epoch * epoch_counter.limit
        self.selects = valid_set is not None
        super().fit(
            epoch_counter,
            train_set,
            valid_set,
            progressbar,
            valid_loader_kwargs=valid_loader_kwargs or {},
        )

    def store(self, dataset, loader_kwargs, precision):
        """Runs the frozen part over a dataset, once for all epochs.

        Arguments
        ---------
        dataset : DynamicItemDataset
            Gives ``id``, ``sig`` and ``target``.
        loader_kwargs : dict
            Of its loader.
        precision : contextmanager
            The precision that the model runs in.

        Returns
        -------
        dataset : DynamicItemDataset
            Gives ``id``, ``states`` and ``target``.
        loader_kwargs : dict
            Of its loader: without workers, as there is nothing to read.
        """
        self.modules.eval()

        def states_of(wavs, lens):
            """The states [B, d] of waveforms [B, samples]."""
            wavs, lens = wavs.to(self.device), lens.to(self.device)
            with torch.no_grad(), precision:
                feats = self.modules.compute_features(wavs, lens)
                return self._encoder().frozen(feats)

        kwargs = {**(loader_kwargs or {}), "shuffle": False}
        loader = self.make_dataloader(dataset, sb.Stage.TEST, **kwargs)
        stored = store_states(loader, states_of)
        return stored, {**(loader_kwargs or {}), "num_workers": 0}

    def make_dataloader(self, dataset, stage, **kwargs):
        """As of ``Brain``; draws nothing from the global generator.

        An epoch that is taken up in the middle makes its iterator once more,
        and must not draw once more.
        """
        kwargs.setdefault("generator", torch.Generator())
        return super().make_dataloader(dataset, stage, **kwargs)

    def init_optimizers(self):
        """Gives the optimizer what trains, and builds the schedule."""
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

    def _should_save_intra_epoch_ckpt(self, *args):
        """Saves between updates only: gradients are in no checkpoint."""
        between = self.step % self.grad_accumulation_factor == 0
        return between and super()._should_save_intra_epoch_ckpt(*args)

    def on_fit_batch_end(self, batch, outputs, loss, should_step):
        """Anneals the learning rate once per update."""
        if should_step:
            self.schedule.step()

    def on_stage_start(self, stage, epoch=None):
        """Forgets the predictions of the stage before."""
        self.predictions = TestResult()

    def compute_objectives(self, predictions, batch, stage):
        """Cross entropy of logits [B, classes], averaged over the batch."""
        targets = batch.target.to(predictions.device)
        if stage != sb.Stage.TRAIN:
            self.predictions.add(batch.id, targets, predictions)
        return torch.nn.functional.cross_entropy(predictions.float(), targets)

    def on_stage_end(self, stage, stage_loss, epoch=None):
        """Logs, keeps the best and the last checkpoint, writes results."""
        if stage == sb.Stage.TRAIN:
            self.train_stats = {"loss": float(stage_loss)}
            if not self.selects:
                self._end_epoch(epoch, None)
            return
        stats = {
            "loss": float(stage_loss),
            "accuracy": self.predictions.accuracy(),
        }
        if stage == sb.Stage.VALID:
            self._end_epoch(epoch, stats)
        else:
            self._log(
                {"Epoch loaded": self.best.get("epoch", 0)}, test_stats=stats
            )
            run_on_main(self._write_results, args=[stats])

    def _log(self, meta, **stats):
        """Tells every logger of the recipe."""
        for train_logger in self.loggers:
            train_logger.log_stats(meta, **stats)

    def _end_epoch(self, epoch, valid_stats):
        """Logs an epoch and saves its checkpoint."""
        rate = self.optimizer.param_groups[0]["lr"]
        self._log(
            {"epoch": epoch, "lr": rate},
            train_stats=self.train_stats,
            valid_stats=valid_stats,
        )
        if self.checkpointer is not None:
            meta = {"epoch": epoch}
            if valid_stats is not None:
                meta["accuracy"] = valid_stats["accuracy"]
            self.checkpointer.save_and_keep_only(
                meta=meta,
                importance_keys=[best_epoch, most_recent],
                keep_recent=False,
            )

    def on_evaluate_start(self, max_key=None, min_key=None):
        """Loads the best epoch; refuses to test a model never trained."""
        checkpoint = None
        if self.checkpointer is not None:
            checkpoint = self.checkpointer.recover_if_possible(
                importance_key=best_epoch,
                ckpt_predicate=lambda c: "epoch" in c.meta,
            )
        if checkpoint is None:
            raise ValueError(
                f"There is no finished epoch in '{self.hparams.output_folder}' "
                "to test: train first, or give the output_folder of a run."
            )
        self.best = checkpoint.meta

    def _write_results(self, stats):
        """Writes what the finished run leaves in its output folder."""
        write_results(
            self.hparams.output_folder,
            self.predictions,
            self.label_encoder,
            {
                "loss": stats["loss"],
                "best_epoch": self.best.get("epoch"),
                "valid_accuracy": self.best.get("accuracy"),
                "trainable": self.count_parameters(),
            },
            {**vars(self.hparams), **used(self)},
        )

    def _encoder(self):
        """The encoder itself, where processes share it or not."""
        return getattr(self.modules.encoder, "module", self.modules.encoder)

    def count_parameters(self) -> dict[str, int]:
        """Trainable parameters: method, LayerNorms, final LayerNorm, head."""
        head = self.modules.classifier.parameters()
        return {
            **self._encoder().count_parameters(),
            "head": sum(p.numel() for p in head if p.requires_grad),
        }
