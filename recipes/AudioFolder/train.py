#!/usr/bin/env python3
"""Adapts a pretrained Audio Spectrogram Transformer to your own sounds.

To run this recipe, from its folder:
> python train.py hparams/adapter_hou_par.yaml --data_folder /path/to/sounds
"""

import sys
from pathlib import Path

import torch
from audio_folder_prepare import prepare_audio_folder
from speechbrain_petl.artefacts.write import save_artefact
from speechbrain_petl.dataio.datasets import make_datasets
from speechbrain_petl.dataio.few_shot import keep_shots
from speechbrain_petl.dataio.labels import load_label_encoder
from speechbrain_petl.dataio.multi_hot import check_labels
from speechbrain_petl.training.brain import AudioClassificationBrain
from speechbrain_petl.training.launch import check_data, start
from speechbrain_petl.training.tagging import AudioTaggingBrain

import speechbrain as sb
from speechbrain.dataio.batch import PaddedBatch
from speechbrain.utils.distributed import run_on_main


class AudioFolderBrain(AudioClassificationBrain):
    """Classifies sounds by the folders that they lie in."""

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


class AudioFolderTagger(AudioTaggingBrain):
    """Tags sounds with all the classes that a table gives them."""

    compute_forward = AudioFolderBrain.compute_forward

    def compute_objectives(
        self, predictions: torch.Tensor, batch: PaddedBatch, stage: sb.Stage
    ) -> torch.Tensor:
        """Returns the loss that the YAML names, averaged over the batch."""
        targets = batch.target.data.to(self.device)  # between 0 and 1 by mixup
        return self.hparams.compute_cost(predictions.float(), targets)


if __name__ == "__main__":
    hparams, run_opts = start(sys.argv[1:])

    # Manifests
    if not hparams["skip_prep"]:
        run_on_main(
            prepare_audio_folder,
            kwargs={
                "data_folder": hparams["data_folder"],
                "manifest_folder": hparams["manifest_folder"],
                "metadata": hparams["metadata"],
                "group_by": hparams["group_by"],
                "n_folds": hparams["n_folds"],
                "test_fold": hparams["test_fold"],
                "valid_share": hparams["valid_share"],
                "test_share": hparams["test_share"],
                "split_seed": hparams["split_seed"],
                "window": hparams["window"],
                "near_duplicates": hparams["near_duplicates"],
                "skip_bad_audio": hparams["skip_bad_audio"],
            },
        )
    run_on_main(
        keep_shots,
        args=[hparams["train_manifest"], hparams["shots"], hparams["draw"]],
    )
    check_data(hparams)
    check_labels(
        hparams["train_manifest"], hparams["several_labels"], hparams["loss"]
    )

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
    several = hparams["several_labels"]
    brain = (AudioFolderTagger if several else AudioFolderBrain)(
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
    run_on_main(
        save_artefact, args=[brain, Path(hparams["data_folder"]).resolve().name]
    )
