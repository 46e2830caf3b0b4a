"""The training loop: selection, schedule, clipping, protocols."""

import re
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from speechbrain_petl.brain import AudioClassificationBrain, best_epoch
from speechbrain_petl.precision import best_precision
from torch import nn

import speechbrain as sb
from speechbrain.dataio.batch import PaddedBatch
from speechbrain.dataio.encoder import CategoricalEncoder
from speechbrain.utils.checkpoints import Checkpointer
from speechbrain.utils.epoch_loop import EpochCounter
from speechbrain.utils.train_logger import FileTrainLogger


class Encoder(nn.Linear):
    """Stands for an adapted backbone."""

    def count_parameters(self):
        """As of ``PETLModel``."""
        return {"method": 0, "norm": 0, "norm_final": self.weight.numel()}


class ToyBrain(AudioClassificationBrain):
    """Classifies vectors of 3 numbers."""

    def compute_forward(self, batch, stage):
        """Logits [B, 2]."""
        hidden = self.modules.encoder(batch.to(self.device).sig.data)
        return self.modules.classifier(hidden)


def clips(n=6, seed=0):
    """Vectors whose first number's sign is their class."""
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.randn(n, 3, generator=generator)
    return [
        {"id": f"c{i}", "sig": v, "target": int(v[0] > 0)}
        for i, v in enumerate(vectors)
    ]


def toy(folder, epochs=4, **run_opts):
    """A brain with everything that a recipe gives it."""
    torch.manual_seed(0)
    labels = CategoricalEncoder()
    labels.update_from_iterable(["low", "high"])
    modules = {"encoder": Encoder(3, 3)}
    counter = EpochCounter(epochs)
    folder.mkdir(parents=True, exist_ok=True)
    return ToyBrain(
        modules=modules,
        classifier=nn.Linear,
        label_encoder=labels,
        opt_class=partial(torch.optim.AdamW, lr=0.1),
        lr_annealing=torch.optim.lr_scheduler.CosineAnnealingLR,
        loggers=[FileTrainLogger(folder / "train_log.txt", 6)],
        hparams={
            "ast": SimpleNamespace(config=SimpleNamespace(hidden_size=3)),
            "epoch_counter": counter,
            "output_folder": str(folder),
            "precision": "auto",
            "seed": 0,
        },
        run_opts={"device": "cpu", "noprogressbar": True, **run_opts},
        checkpointer=Checkpointer(
            folder / "save", {**modules, "counter": counter}
        ),
    )


def fit(brain, valid=True):
    """Trains on toy batches of 2."""
    options = {"batch_size": 2, "collate_fn": PaddedBatch}
    brain.fit(
        brain.hparams.epoch_counter,
        clips(),
        clips(seed=1) if valid else None,
        train_loader_kwargs=options,
        valid_loader_kwargs=options,
    )
    return options


def meta(**values):
    """A checkpoint with this metadata."""
    return SimpleNamespace(meta=values)


def test_ties_go_to_the_earlier_epoch():
    checkpoints = [
        meta(epoch=1, accuracy=0.5),
        meta(epoch=2, accuracy=0.8),
        meta(epoch=3, accuracy=0.8),
        meta(),
    ]
    assert max(checkpoints, key=best_epoch).meta["epoch"] == 2
    last = [meta(epoch=1), meta(epoch=2)]
    assert max(last, key=best_epoch).meta["epoch"] == 2


def test_the_schedule_falls_along_a_cosine_at_each_update(tmp_path):
    rates = []

    class Recorder(ToyBrain):
        def on_fit_batch_start(self, batch, should_step):
            rates.append(self.optimizer.param_groups[0]["lr"])

    brain = toy(tmp_path)
    brain.__class__ = Recorder
    fit(brain)
    n = torch.arange(12)
    expected = 0.1 * (1 + torch.cos(torch.pi * n / 12)) / 2
    torch.testing.assert_close(torch.tensor(rates), expected.float())
    assert brain.optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-9)


def test_what_trains_is_logged(tmp_path, caplog):
    caplog.set_level("INFO", logger="speechbrain_petl")
    fit(toy(tmp_path, epochs=1))
    line = "Trainable parameters: method 0, norm 0, norm_final 9, head 8"
    assert line in caplog.text


def test_the_device_decides_on_precision(tmp_path):
    brain = toy(tmp_path)
    assert brain.precision == brain.hparams.precision == best_precision("cpu")
    assert toy(tmp_path, precision="fp32").precision == "fp32"


def test_accumulation_shortens_the_schedule(tmp_path):
    brain = toy(tmp_path, grad_accumulation_factor=3)
    fit(brain)
    assert brain.total_updates == 4
    assert brain.optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-9)


def test_no_gradient_is_clipped_at_infinity(tmp_path):
    brain = toy(tmp_path, max_grad_norm=float("inf"))
    brain.total_updates = 1
    brain.init_optimizers()
    for parameter in brain.modules.parameters():
        parameter.grad = torch.full_like(parameter, 1e4)
    seen = []
    brain.optimizer.register_step_pre_hook(
        lambda *_: seen.extend(
            p.grad.clone() for p in brain.modules.parameters()
        )
    )
    brain.optimizers_step()
    assert seen and all((grad == 1e4).all() for grad in seen)


def test_the_best_epochs_weights_are_tested(tmp_path):
    accuracies = iter([0.2, 0.9, 0.9, 0.1])
    weights = {}

    class Scripted(ToyBrain):
        def on_stage_end(self, stage, loss, epoch=None):
            if stage == sb.Stage.VALID:
                weights[epoch] = self.modules.encoder.weight.detach().clone()
                self.predictions.accuracy = accuracies.__next__
            super().on_stage_end(stage, loss, epoch)

    brain = toy(tmp_path)
    brain.__class__ = Scripted
    options = fit(brain)
    assert not torch.equal(brain.modules.encoder.weight, weights[2])
    brain.evaluate(clips(seed=2), test_loader_kwargs=options)
    assert torch.equal(brain.modules.encoder.weight, weights[2])
    assert len(list((tmp_path / "save").iterdir())) == 2, "best and last"
    assert (tmp_path / "results.json").exists()


def test_without_a_validation_set_the_last_epoch_is_tested(tmp_path):
    brain = toy(tmp_path)
    options = fit(brain, valid=False)
    last = brain.modules.encoder.weight.detach().clone()
    brain.evaluate(clips(seed=2), test_loader_kwargs=options)
    assert torch.equal(brain.modules.encoder.weight, last)
    log = (tmp_path / "train_log.txt").read_text()
    assert "Epoch loaded: 4" in log and "valid" not in log


def test_a_model_never_trained_is_not_tested(tmp_path):
    brain = toy(tmp_path)
    with pytest.raises(ValueError, match="no finished epoch in"):
        brain.evaluate(clips(), test_loader_kwargs={"collate_fn": PaddedBatch})


def test_an_interrupted_run_continues(tmp_path):
    whole = toy(tmp_path / "whole")
    fit(whole)
    brain = toy(tmp_path / "cut")
    brain.hparams.epoch_counter.limit = 4

    class Interrupted(ToyBrain):
        def on_stage_start(self, stage, epoch=None):
            super().on_stage_start(stage, epoch)
            if stage == sb.Stage.TRAIN and epoch == 3:
                raise KeyboardInterrupt

    brain.__class__ = Interrupted
    with pytest.raises(KeyboardInterrupt):
        fit(brain)
    again = toy(tmp_path / "cut")
    fit(again)
    for mine, other in zip(
        again.modules.parameters(), whole.modules.parameters()
    ):
        assert torch.equal(mine, other)
    log = (tmp_path / "cut" / "train_log.txt").read_text()
    assert re.findall(r"epoch: (\d)", log) == ["1", "2", "3", "4"]
