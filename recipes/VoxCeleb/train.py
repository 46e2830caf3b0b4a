#!/usr/bin/env python3
"""Adapts a pretrained Audio Spectrogram Transformer to VoxCeleb1.

To run this recipe, from its folder:
> python train.py hparams/adapter_hou_par.yaml --data_folder /path/to/VoxCeleb1
"""

import sys

import torch
from speechbrain_petl.artefacts.write import save_artefact
from speechbrain_petl.dataio.cohort import cohort_of
from speechbrain_petl.dataio.datasets import make_datasets
from speechbrain_petl.dataio.few_shot import keep_shots
from speechbrain_petl.dataio.labels import load_label_encoder
from speechbrain_petl.dataio.trials import load_trials, refuse_shared_speakers
from speechbrain_petl.training.launch import check_data, start
from speechbrain_petl.training.verification_brain import (
    SpeakerVerificationBrain,
)
from voxceleb_petl_prepare import prepare_voxceleb

import speechbrain as sb
from speechbrain.dataio.batch import PaddedBatch
from speechbrain.utils.distributed import run_on_main
from speechbrain.utils.run_opts import RunOptions


class VoxCelebBrain(SpeakerVerificationBrain):
    """Verifies speakers: do two utterances come from the same one?"""

    def compute_forward(
        self, batch: PaddedBatch, stage: sb.Stage
    ) -> torch.Tensor:
        """Returns outputs [B, speakers], or embeddings [B, windows, d]."""
        batch = batch.to(self.device)
        if stage in self.stored:
            # What is frozen has run before: see stored_states.
            pooled = self.modules.encoder(batch.states.data, stored=True)
            return self.modules.classifier(pooled)
        wavs, lens = batch.sig
        if stage != sb.Stage.TRAIN:
            return self.embed(wavs, lens)
        wavs = self.hparams.add_noise(wavs, lens)
        feats = self.modules.compute_features(wavs, lens)
        # SpecAugment takes [B, mel, frame].
        feats = self.modules.augment(feats.mT).mT
        return self.modules.classifier(self.modules.encoder(feats, lens))

    def compute_objectives(
        self, predictions: torch.Tensor, batch: PaddedBatch, stage: sb.Stage
    ) -> torch.Tensor:
        """Returns the loss of telling the training speakers apart."""
        targets = batch.target.to(self.device)  # shares of classes under mixup
        return self.hparams.compute_cost(predictions.float(), targets)

    def alters_clips(self) -> bool:
        """Returns True if noise is added to the waveforms of training."""
        return self.hparams.add_noise.active


def run(hparams: dict, run_opts: RunOptions) -> VoxCelebBrain:
    """Prepares the data, trains, and tests the best epoch.

    Arguments
    ---------
    hparams : dict
        What the YAML says.
    run_opts : RunOptions
        SpeechBrain's options.

    Returns
    -------
    VoxCelebBrain
        It holds the epoch that was tested.
    """
    # Manifests
    run_on_main(
        prepare_voxceleb,
        kwargs={
            "data_folder": hparams["data_folder"],
            "manifest_folder": hparams["manifest_folder"],
            "trials": hparams["trials"],
            "valid_speakers": hparams["valid_speakers"],
            "valid_trials": hparams["valid_trials"],
            "draw": hparams["valid_draw"],
            "skip_bad_audio": hparams["skip_bad_audio"],
        },
    )
    run_on_main(
        keep_shots,
        args=[hparams["train_manifest"], hparams["shots"], hparams["draw"]],
    )
    check_data(hparams)

    # Waveforms, and indices of the training speakers; trials of the others
    label_encoder = load_label_encoder(hparams["label_map"])
    options = hparams["sample_rate"], hparams["cache_gb"]
    folder = hparams["data_folder"]
    datasets = {
        **make_datasets(
            {"train": hparams["train_manifest"]},
            folder,
            label_encoder,
            *options,
        ),
        **make_datasets(
            {
                "valid": hparams["valid_manifest"],
                "test": hparams["test_manifest"],
            },
            folder,
            None,
            *options,
        ),
    }
    utterances = {k: one.data for k, one in datasets.items() if one is not None}
    refuse_shared_speakers(
        {
            split: {entry["label"] for entry in entries.values()}
            for split, entries in utterances.items()
        }
    )
    lists = {
        "valid": hparams["valid_trial_list"],
        "test": hparams["test_trial_list"],
    }
    trials = {
        split: load_trials(file, utterances[split])
        for split, file in lists.items()
        if split in utterances
    }
    cohort = None
    if hparams["score_norm"] is not None:
        cohort = cohort_of(datasets["train"], hparams["cohort_utterances"])

    loggers = [hparams["train_logger"]]
    if hparams["use_tensorboard"]:
        loggers.append(hparams["tensorboard_logger"]())
    brain = VoxCelebBrain(
        modules=hparams["modules"],
        classifier=hparams["classifier"],
        label_encoder=label_encoder,
        opt_class=hparams["opt_class"],
        lr_annealing=hparams["lr_annealing"],
        loggers=loggers,
        selects=hparams["selects"],
        stored_states=hparams.get("stored_states"),
        stored_draws=hparams.get("stored_draws"),
        states_gb=hparams.get("states_gb", 0.0),
        trials=trials,
        scoring=hparams["scoring"],
        score_norm=hparams["score_norm"],
        cohort_top=hparams["cohort_top"],
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
        cohort_set=cohort,
        test_loader_kwargs=hparams["eval_dataloader_opts"],
    )
    return brain


if __name__ == "__main__":
    hparams, run_opts = start(sys.argv[1:])
    finished = run(hparams, run_opts)
    # Artefacts are for what was added to a backbone that others have too.
    if hparams["backbone"] is not hparams["encoder"]:
        run_on_main(save_artefact, args=[finished, "VoxCeleb1"])
