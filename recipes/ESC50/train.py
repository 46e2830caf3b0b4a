#!/usr/bin/env python3
"""Adapts a pretrained Audio Spectrogram Transformer to ESC-50.

To run this recipe, from its folder:
> python train.py hparams/adapter_hou_par.yaml --data_folder /path/to/ESC-50
"""

import sys

from esc50_prepare import prepare_esc50
from hyperpyyaml import load_hyperpyyaml
from speechbrain_petl.artefact import save_artefact
from speechbrain_petl.brain import AudioClassificationBrain
from speechbrain_petl.dataio import load_label_encoder, make_datasets

import speechbrain as sb
from speechbrain.utils.distributed import ddp_init_group, run_on_main


class ESC50Brain(AudioClassificationBrain):
    """Front end, augmentation, adapted backbone, linear head."""

    def compute_forward(self, batch, stage):
        """Computes logits [batch, classes]."""
        wavs, lens = batch.to(self.device).sig
        feats = self.modules.compute_features(wavs, lens)
        if stage == sb.Stage.TRAIN:
            # SpecAugment wants [batch, mel, frame].
            feats = self.hparams.augment(feats.mT).mT
        return self.modules.classifier(self.modules.encoder(feats, lens))


if __name__ == "__main__":
    hparams_file, run_opts, overrides = sb.parse_arguments(sys.argv[1:])
    ddp_init_group(run_opts)
    with open(hparams_file, encoding="utf-8") as file:
        hparams = load_hyperpyyaml(file, overrides)

    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=hparams_file,
        overrides=overrides,
    )
    run_on_main(
        prepare_esc50,
        kwargs={
            "data_folder": hparams["data_folder"],
            "manifest_folder": hparams["manifest_folder"],
            "test_fold": hparams["test_fold"],
            "train_folds": hparams["train_folds"],
            "valid_folds": hparams["valid_folds"],
            "test_folds": hparams["test_folds"],
            "download": hparams["download"],
            "skip_bad_audio": hparams["skip_bad_audio"],
        },
    )
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
    )

    # The corpus, not the YAML, says how many classes there are.
    hparams["label_encoder"] = label_encoder
    classifier = hparams["classifier"](
        hparams["ast"].config.hidden_size, len(label_encoder)
    )
    hparams["checkpointer"].add_recoverable("classifier", classifier)
    hparams["loggers"] = [hparams["train_logger"]]
    if hparams["use_tensorboard"]:
        hparams["loggers"].append(hparams["tensorboard_logger"]())

    brain = ESC50Brain(
        modules={**hparams["modules"], "classifier": classifier},
        opt_class=hparams["opt_class"],
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
