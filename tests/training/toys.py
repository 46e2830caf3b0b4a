"""A brain small enough to train in a test, with all that a recipe gives it."""

from functools import partial

import torch
from speechbrain_petl.lobes.patchout import Patchout
from speechbrain_petl.training.brain import AudioClassificationBrain
from speechbrain_petl.training.checkpointer import WholeCheckpointer
from torch import nn
from transformers import ASTConfig
from transformers.models.audio_spectrogram_transformer.modeling_audio_spectrogram_transformer import (  # noqa: E501
    ASTEmbeddings,
)

import speechbrain as sb
from speechbrain.dataio.batch import PaddedBatch
from speechbrain.dataio.encoder import CategoricalEncoder
from speechbrain.utils.epoch_loop import EpochCounter
from speechbrain.utils.train_logger import FileTrainLogger


class Encoder(nn.Linear):
    """Stands for an adapted backbone."""

    def count_parameters(self):
        """Returns counts as ``PETLModel`` does."""
        return {"method": 0, "norm": 0, "norm_final": self.weight.numel()}


class ToyBrain(AudioClassificationBrain):
    """Classifies vectors of 3 numbers."""

    def compute_forward(self, batch, stage):
        """Logits [B, 2]."""
        hidden = self.modules.encoder(batch.to(self.device).sig.data)
        return self.modules.classifier(hidden)

    def compute_objectives(self, predictions, batch, stage):
        """Cross entropy."""
        return nn.functional.cross_entropy(predictions, batch.target)


def clips(n=6, seed=0):
    """Vectors whose first number's sign is their class."""
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.randn(n, 3, generator=generator)
    return [
        {"id": f"c{i}", "sig": v, "target": int(v[0] > 0)}
        for i, v in enumerate(vectors)
    ]


def toy(
    folder, epochs=4, selects="accuracy", kind=None, encoder=None, **run_opts
):
    """A brain with everything that a recipe gives it."""
    torch.manual_seed(0)
    labels = CategoricalEncoder()
    labels.update_from_iterable(["low", "high"])
    modules = {"encoder": (encoder or Encoder)(3, 3)}
    modules["encoder"].embedding_size = 3
    counter = EpochCounter(epochs)
    folder.mkdir(parents=True, exist_ok=True)
    return (kind or ToyBrain)(
        modules=modules,
        classifier=nn.Linear,
        label_encoder=labels,
        opt_class=partial(torch.optim.AdamW, lr=0.1),
        lr_annealing=torch.optim.lr_scheduler.CosineAnnealingLR,
        loggers=[FileTrainLogger(folder / "train_log.txt", 6)],
        selects=selects,
        hparams={
            "epoch_counter": counter,
            "output_folder": str(folder),
            "precision": "auto",
            "seed": 0,
        },
        run_opts={"device": "cpu", "noprogressbar": True, **run_opts},
        checkpointer=WholeCheckpointer(
            folder / "save", {**modules, "counter": counter}
        ),
    )


def fit(brain, valid=True, batch_size=2, n=6):
    """Trains on batches of toy clips."""
    options = {"batch_size": batch_size, "collate_fn": PaddedBatch}
    brain.fit(
        brain.hparams.epoch_counter,
        clips(n),
        clips(seed=1) if valid else None,
        train_loader_kwargs=options,
        valid_loader_kwargs=options,
    )
    return options


class Dropping(ToyBrain):
    """Drops numbers out, so that each step depends on what was drawn."""

    def compute_forward(self, batch, stage):
        """Logits [B, 2]."""
        vectors = batch.to(self.device).sig.data
        if stage == sb.Stage.TRAIN:
            vectors = torch.nn.functional.dropout(vectors, 0.5)
        return self.modules.classifier(self.modules.encoder(vectors))

    def fit_batch(self, batch):
        """Notes the loss of each step."""
        if (self.hparams.epoch_counter.current, self.step) == self.die_at:
            raise KeyboardInterrupt
        loss = super().fit_batch(batch)
        self.losses.append(loss.item())
        return loss


def dropping(folder, die_at=None, **run_opts):
    """A brain that drops out, and may be interrupted at (epoch, step)."""
    brain = toy(folder, **run_opts)
    brain.__class__, brain.losses, brain.die_at = Dropping, [], die_at
    return brain


class Normalized(Encoder):
    """An encoder with statistics of its batches."""

    def __init__(self, *size):
        super().__init__(*size)
        self.batch_norm = nn.BatchNorm1d(size[0])

    def forward(self, vectors):
        """Embeddings [B, 3]."""
        return super().forward(self.batch_norm(vectors))


class Patched(Encoder):
    """An encoder that reads some of an AST's patches, which it draws."""

    def __init__(self, *size):
        super().__init__(*size)
        config = ASTConfig(hidden_size=12, max_length=32)
        self.embeddings = Patchout(ASTEmbeddings(config), share=0.5)

    def forward(self, vectors):
        """Embeddings [B, 3]."""
        feats = vectors.repeat(1, 32 * 128)[:, : 32 * 128].view(-1, 32, 128)
        tokens = self.embeddings(feats)
        return super().forward(vectors * tokens.mean((1, 2))[:, None])


def same(brain, other):
    """Returns True if all that two brains save is bit-equal."""
    mine, theirs = brain.modules.state_dict(), other.modules.state_dict()
    return mine.keys() == theirs.keys() and all(
        torch.equal(mine[name], theirs[name]) for name in mine
    )
