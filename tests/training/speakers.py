"""A brain of speaker verification small enough to train in a test."""

from functools import partial
from types import SimpleNamespace

import torch
from speechbrain_petl.dataio.trials import Trial
from speechbrain_petl.lobes.heads import EmbeddingHead
from speechbrain_petl.training.checkpointer import WholeCheckpointer
from speechbrain_petl.training.verification_brain import (
    SpeakerVerificationBrain,
)
from torch import nn

import speechbrain as sb
from speechbrain.dataio.batch import PaddedBatch
from speechbrain.dataio.encoder import CategoricalEncoder
from speechbrain.utils.epoch_loop import EpochCounter
from speechbrain.utils.train_logger import FileTrainLogger
from tests.training.toys import Encoder

SAMPLES = 4  # of a window
OPTIONS = {"batch_size": 2, "collate_fn": PaddedBatch}


class Raw(nn.Module):
    """Stands for a front end: the first samples, padded."""

    clip_samples, hop_samples, draws = SAMPLES, 1, False

    def __init__(self, windows=2):
        super().__init__()
        self.windows = windows

    def forward(self, wavs, lens=None):
        """Returns [B, SAMPLES]."""
        return nn.functional.pad(wavs, (0, SAMPLES))[:, :SAMPLES]


class ToyEncoder(Encoder):
    """Stands for an adapted backbone."""

    embedding_size = 3

    def forward(self, feats, lens=None):
        """Returns [B, d]."""
        return super().forward(feats)


class ToySpeakers(SpeakerVerificationBrain):
    """Tells speakers apart by few samples, some of them dropped."""

    die_at = None

    def compute_forward(self, batch, stage):
        """Logits [B, speakers], or embeddings [B, windows, d]."""
        wavs, lens = batch.to(self.device).sig
        if stage != sb.Stage.TRAIN:
            return self.embed(wavs, lens)
        feats = self.modules.compute_features(wavs, lens)
        feats = nn.functional.dropout(feats, 0.3)
        return self.modules.classifier(self.modules.encoder(feats, lens))

    def compute_objectives(self, predictions, batch, stage):
        """Cross entropy."""
        return nn.functional.cross_entropy(predictions, batch.target)

    def fit_batch(self, batch):
        """Notes the loss of each step."""
        if (self.hparams.epoch_counter.current, self.step) == self.die_at:
            raise KeyboardInterrupt
        loss = super().fit_batch(batch)
        self.losses.append(loss.item())
        return loss


def utterances(names, each=3, seed=0):
    """Utterances of several lengths; a speaker is where he begins."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for place, name in enumerate(names):
        for k in range(each):
            wave = torch.randn(SAMPLES + 2 * k, generator=generator) * 0.3
            wave += torch.tensor([1.0, -1.0])[place % 2] * (1 + place)
            found.append({"id": f"{name}{k}", "sig": wave, "target": place})
    return found


def trials(names, each=3):
    """All pairs of a speaker's, and as many of others."""
    found = []
    for place, name in enumerate(names):
        other = names[place - 1]
        for k in range(1, each):
            found.append(Trial(True, f"{name}0", f"{name}{k}"))
            found.append(Trial(False, f"{name}0", f"{other}{k}"))
    return found


TRAINED, HELD_OUT, TESTED = "abc", "uvw", "xyz"
TRIALS = {"valid": trials(HELD_OUT), "test": trials(TESTED)}


def speakers(folder, epochs=3, die_at=None, kind=ToySpeakers, **options):
    """A brain with everything that a recipe gives it."""
    torch.manual_seed(0)
    labels = CategoricalEncoder()
    labels.update_from_iterable(TRAINED)
    modules = {
        "encoder": ToyEncoder(SAMPLES, 3),
        "compute_features": Raw(options.pop("windows", 2)),
    }
    counter = EpochCounter(epochs)
    folder.mkdir(parents=True, exist_ok=True)
    run_opts = {
        key: options.pop(key)
        for key in ("ckpt_interval_steps", "distributed_backend")
        if key in options
    }
    brain = kind(
        modules=modules,
        classifier=partial(EmbeddingHead, embedding_size=5),
        label_encoder=labels,
        opt_class=partial(torch.optim.AdamW, lr=0.1),
        lr_annealing=torch.optim.lr_scheduler.CosineAnnealingLR,
        loggers=[FileTrainLogger(folder / "train_log.txt", 6)],
        selects="eer",
        **{"trials": TRIALS, "scoring": "cosine", **options},
        hparams={
            "backbone": SimpleNamespace(embedding_size=3),
            "epoch_counter": counter,
            "output_folder": str(folder),
            "precision": "fp32",
            "seed": 0,
        },
        run_opts={"device": "cpu", "noprogressbar": True, **run_opts},
        checkpointer=WholeCheckpointer(
            folder / "save", {"encoder": modules["encoder"], "counter": counter}
        ),
    )
    brain.die_at, brain.losses = die_at, []
    return brain


def train(brain, valid=True):
    """Trains on the toy speakers."""
    brain.fit(
        brain.hparams.epoch_counter,
        utterances(TRAINED),
        utterances(HELD_OUT, seed=1) if valid else None,
        train_loader_kwargs={**OPTIONS, "shuffle": True},
        valid_loader_kwargs={**OPTIONS},
    )


def test(brain, **options):
    """Tests on the trials of others."""
    brain.evaluate(
        utterances(TESTED, seed=2), test_loader_kwargs={**OPTIONS}, **options
    )


test.__test__ = False  # a helper
