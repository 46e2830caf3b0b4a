#!/usr/bin/env python3
"""Adapts a pretrained Audio Spectrogram Transformer to ESC-50.

To run this recipe, from its folder:
> python train.py hparams/adapter_hou_par.yaml --data_folder /path/to/ESC-50
"""

import sys

import torch
from esc50_prepare import prepare_esc50
from speechbrain_petl.artefacts.write import save_artefact
from speechbrain_petl.dataio.datasets import make_datasets
from speechbrain_petl.dataio.few_shot import keep_shots
from speechbrain_petl.dataio.labels import load_label_encoder
from speechbrain_petl.training.brain import AudioClassificationBrain
from speechbrain_petl.training.launch import check_data, start

import speechbrain as sb
from speechbrain.dataio.batch import PaddedBatch
from speechbrain.utils.distributed import run_on_main


class ESC50Brain(AudioClassificationBrain):
    """Classifies environmental sounds."""

    def compute_forward(
        self, batch: PaddedBatch, stage: sb.Stage
    ) -> torch.Tensor:
        """Returns logits [B, classes] of waveforms [B, samples]."""
        batch = batch.to(self.device)
        if stage in self.stored:
            # What is frozen has run before: see stored_states.
            embeddings = self.modules.encoder(batch.states.data, stored=True)
        else:
            wavs, lens = batch.sig
            feats = self.modules.compute_features(wavs, lens)
            if stage == sb.Stage.TRAIN:
                # SpecAugment takes [B, mel, frame].
                feats = self.modules.augment(feats.mT).mT
            embeddings = self.modules.encoder(feats, lens)
        return self.modules.classifier(embeddings)

    def compute_objectives(
        self, predictions: torch.Tensor, batch: PaddedBatch, stage: sb.Stage
    ) -> torch.Tensor:
        """Returns the loss that the YAML names, averaged over the batch."""
        targets = batch.target.to(self.device)  # shares of classes under mixup
        return self.hparams.compute_cost(predictions.float(), targets)


if __name__ == "__main__":
    hparams, run_opts = start(sys.argv[1:])

    # Manifests
    run_on_main(
        prepare_esc50,
        kwargs={
            "data_folder": hparams["data_folder"],
            "manifest_folder": hparams["manifest_folder"],
            "test_fold": hparams["test_fold"],
            "protocol": hparams["protocol"],
            "train_folds": hparams["train_folds"],
            "valid_folds": hparams["valid_folds"],
            "test_folds": hparams["test_folds"],
            "download": hparams["download"],
            "skip_bad_audio": hparams["skip_bad_audio"],
        },
    )
    run_on_main(
        keep_shots,
        args=[hparams["train_manifest"], hparams["shots"], hparams["draw"]],
    )
    check_data(hparams)

    # Waveforms and label indices
    label_encoder = load_label_encoder(hparams["label_map"])
    datasets = make_datasets(
        {
            "train": hparams["train_manifest"],
            "valid": hparams["valid_manifest"],
            "test": hparams["test_manifest"],
        },
        hparams["data_folder"],
        label_encoder,
        hparams["sample_rate"],
        hparams["cache_gb"],
    )

    loggers = [hparams["train_logger"]]
    if hparams["use_tensorboard"]:
        loggers.append(hparams["tensorboard_logger"]())
    brain = ESC50Brain(
        modules=hparams["modules"],
        classifier=hparams["classifier"],
        label_encoder=label_encoder,
        opt_class=hparams["opt_class"],
        lr_annealing=hparams["lr_annealing"],
        loggers=loggers,
        selects=hparams["selects"],
        stored_states=hparams["stored_states"],
        stored_draws=hparams["stored_draws"],
        states_gb=hparams["states_gb"],
        hparams=hparams,
        run_opts=run_opts,
        checkpointer=hparams["checkpointer"],
    )
    brain.fit(
        epoch_counter=hparams["epoch_counter"],
        train_set=datasets["train"],
        valid_set=datasets["valid"],
        train_loader_kwargs=hparams["train_dataloader_opts"],
        valid_loader_kwargs=hparams["eval_dataloader_opts"],
    )
    brain.evaluate(
        test_set=datasets["test"],
        test_loader_kwargs=hparams["eval_dataloader_opts"],
    )
    run_on_main(save_artefact, args=[brain, "ESC-50"])
