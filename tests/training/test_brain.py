"""The training loop: selection, schedule, clipping, protocols."""

import json
import re
from types import SimpleNamespace

import pytest
import torch
from speechbrain_petl.training.selection import best_epoch

import speechbrain as sb
from speechbrain.dataio.batch import PaddedBatch
from tests.training.toys import Dropping, ToyBrain, clips, dropping, fit, toy


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
    best = best_epoch("accuracy", "max")
    assert max(checkpoints, key=best).meta["epoch"] == 2
    last = [meta(epoch=1), meta(epoch=2)]
    assert max(last, key=best).meta["epoch"] == 2


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
            super().on_stage_end(stage, loss, epoch)

        def measure(self, rows):
            return {"accuracy": next(accuracies, 0.0)}

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


def test_the_named_metric_selects(tmp_path):
    losses = iter([0.5, 0.2, 0.3, 0.4])

    class Scripted(ToyBrain):
        def measure_stage(self):
            ids, rows, stats = super().measure_stage()
            return ids, rows, {**stats, "loss": next(losses, 0.0)}

        def measure(self, rows):
            return {"accuracy": 0.5}

    brain = toy(tmp_path, selects="loss", kind=Scripted)
    options = fit(brain)
    brain.evaluate(clips(seed=2), test_loader_kwargs=options)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["best_epoch"] == 2 and results["valid_loss"] == 0.2
    assert results["selects"] == "loss" and results["direction"] == "min"
    assert results["valid_accuracy"] == 0.5


def test_the_loss_is_over_clips_and_not_over_batches(tmp_path):
    losses = []
    for batch_size in (5, 6):
        brain = toy(tmp_path / str(batch_size), epochs=1)
        options = fit(brain, valid=False)
        options["batch_size"] = batch_size
        brain.evaluate(clips(seed=2), test_loader_kwargs=options)
        file = tmp_path / str(batch_size) / "results.json"
        losses.append(json.loads(file.read_text())["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


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


@pytest.mark.parametrize("die_at", [(1, 2), (2, 1), (2, 3), (4, 3)])
@pytest.mark.parametrize("interval", [0, 1, 2])
@pytest.mark.fault(
    "run interrupted at a step; losses and weights compared bit by bit"
)
def test_an_interrupted_run_is_bit_equal(die_at, interval, tmp_path):
    """Also one that is taken up inside an epoch."""
    whole = dropping(tmp_path / "whole")
    fit(whole)
    options = {"ckpt_interval_steps": interval}
    cut = dropping(tmp_path / "cut", die_at, **options)
    with pytest.raises(KeyboardInterrupt):
        fit(cut)
    torch.manual_seed(99)
    again = dropping(tmp_path / "cut", **options)
    fit(again)
    assert len(again.losses) < 12 or die_at == (1, 2) and interval != 1
    assert again.losses == whole.losses[-len(again.losses) :]
    for mine, other in zip(
        again.modules.parameters(), whole.modules.parameters()
    ):
        assert torch.equal(mine, other)


@pytest.mark.fault("run interrupted between accumulated gradients")
def test_no_checkpoint_between_accumulated_gradients(tmp_path):
    options = {"ckpt_interval_steps": 1, "grad_accumulation_factor": 3}
    whole = dropping(tmp_path / "whole", grad_accumulation_factor=3)
    fit(whole)
    cut = dropping(tmp_path / "cut", (2, 3), **options)
    with pytest.raises(KeyboardInterrupt):
        fit(cut)
    again = dropping(tmp_path / "cut", **options)
    fit(again)
    assert again.losses == whole.losses[-len(again.losses) :]


class Exploding(Dropping):
    """Has a loss that is not a number at one step."""

    def compute_objectives(self, predictions, batch, stage):
        """The loss, or nan."""
        loss = super().compute_objectives(predictions, batch, stage)
        bad = stage == sb.Stage.TRAIN and "c3" in batch.id
        return loss * float("nan") if bad else loss


@pytest.mark.fault("loss that is not finite")
def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
    brain = dropping(tmp_path, nonfinite_patience=0)
    brain.__class__ = Exploding
    with pytest.raises(ValueError, match="not finite .* the clips .*c3"):
        fit(brain)


@pytest.mark.fault("loss that is not finite")
def test_or_its_update_is_skipped(tmp_path, caplog):
    brain = dropping(tmp_path, nonfinite_patience=1)
    brain.__class__ = Exploding
    fit(brain)
    assert "c3: this update is skipped" in caplog.text
    assert all(p.isfinite().all() for p in brain.modules.parameters())
    losses = torch.tensor(brain.losses)
    assert losses.isnan().sum() == 4, "one an epoch"
    log = (tmp_path / "train_log.txt").read_text()
    assert "nan" not in log.replace("nonfinite", "")
