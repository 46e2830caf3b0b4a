"""Nothing is learned or measured from what is not finite."""

import pytest
import torch

from speechbrain.dataio.batch import PaddedBatch
from tests.training.toys import Normalized, ToyBrain, clips, fit, toy


class BadClip(ToyBrain):
    """Reads one training clip of the first epoch as not a number."""

    def compute_forward(self, batch, stage):
        """Logits [B, 2]."""
        first = self.hparams.epoch_counter.current == 1
        if self.training(stage) and first and "c3" in batch.id:
            batch.sig.data[:] = float("nan")
        return super().compute_forward(batch, stage)

    def training(self, stage):
        """Returns True in training."""
        return stage.name == "TRAIN"


@pytest.mark.fault("loss that is not finite")
@pytest.mark.parametrize("factor", [1, 2, 3])
def test_a_skipped_update_leaves_buffers_as_they_were(factor, tmp_path):
    """Of all batches of the update, as if it had not been there."""
    kept = []

    class Noting(BadClip):
        def on_update_start(self):
            super().on_update_start()
            kept.append(self.modules.encoder.batch_norm.running_mean.clone())

        def optimizers_step(self):
            skips = self.skips
            super().optimizers_step()
            if skips:
                norm = self.modules.encoder.batch_norm
                assert torch.equal(norm.running_mean, kept[-1])
                assert norm.num_batches_tracked % factor == 0
                kept.append("skipped")

    brain = toy(
        tmp_path,
        epochs=2,
        kind=Noting,
        encoder=Normalized,
        grad_accumulation_factor=factor,
        nonfinite_patience=1,
    )
    fit(brain)
    assert kept.count("skipped") == 1
    tensors = brain.modules.state_dict().values()
    assert all(tensor.isfinite().all() for tensor in tensors)
    log = (tmp_path / "train_log.txt").read_text()
    assert "valid loss: 0.0" not in log


@pytest.mark.fault("loss that is not finite")
def test_two_bad_batches_of_an_update_are_one_skipped_update(tmp_path):
    class Exploding(ToyBrain):
        def compute_objectives(self, predictions, batch, stage):
            loss = super().compute_objectives(predictions, batch, stage)
            bad = stage.name == "TRAIN" and self.step < 3
            return loss * float("inf") if bad else loss

    brain = toy(
        tmp_path,
        kind=Exploding,
        grad_accumulation_factor=2,
        nonfinite_patience=1,
    )
    fit(brain)
    assert brain.optimizer_step == 4, "one of two updates an epoch"


@pytest.mark.parametrize("stage", ["VALID", "TEST"])
@pytest.mark.parametrize("value", ["nan", "inf"])
@pytest.mark.fault("output that is not finite in validation or test")
def test_an_output_that_is_not_finite_is_not_measured(stage, value, tmp_path):
    class Broken(ToyBrain):
        def compute_forward(self, batch, now):
            logits = super().compute_forward(batch, now)
            bad = [now.name == stage and id_ == "c3" for id_ in batch.id]
            return logits.masked_fill(torch.tensor(bad)[:, None], float(value))

    brain = toy(tmp_path, epochs=1, kind=Broken)
    sentence = "output of the model is not finite for the clips c3: look"
    with pytest.raises(ValueError, match=sentence):
        options = fit(brain)
        brain.evaluate(clips(), test_loader_kwargs=options)
    assert not (tmp_path / "results.json").exists()


@pytest.mark.fault("output that is not finite in validation or test")
def test_a_loss_that_is_not_finite_is_not_measured(tmp_path):
    class Broken(ToyBrain):
        def compute_objectives(self, predictions, batch, stage):
            loss = super().compute_objectives(predictions, batch, stage)
            return loss / (stage.name == "TRAIN")

    brain = toy(tmp_path, epochs=1, kind=Broken)
    with pytest.raises(ValueError, match="loss is not finite .* c0, c1: look"):
        fit(brain)


def test_clips_of_one_id_are_refused(tmp_path):
    brain = toy(tmp_path, epochs=1)
    options = {"batch_size": 2, "collate_fn": PaddedBatch}
    with pytest.raises(ValueError, match="c0, c1 occur more than once"):
        brain.fit(
            brain.hparams.epoch_counter,
            clips(),
            clips() + clips(2),
            train_loader_kwargs=options,
            valid_loader_kwargs=options,
        )


class Steep(ToyBrain):
    """A finite loss whose gradient is too large for its norm to be a number."""

    def compute_objectives(self, predictions, batch, stage):
        """Cross entropy, steep in one training batch."""
        loss = super().compute_objectives(predictions, batch, stage)
        first = self.hparams.epoch_counter.current == 1
        if stage.name == "TRAIN" and first and self.step == 2:
            loss = loss + Steepen.apply(loss)
        return loss


def test_the_norm_of_gradients_is_measured_once(monkeypatch, tmp_path):
    """Clipped as ``Brain`` clips, by the norm that was checked."""
    utils = torch.nn.utils
    whole = utils.get_total_norm
    measured, stepped = [], []

    class Hooked(ToyBrain):
        def init_optimizers(self):
            super().init_optimizers()
            self.optimizer.register_step_pre_hook(self.note)

        def note(self, optimizer, *args):
            trained = optimizer.param_groups[0]["params"]
            stepped.append(whole([p.grad for p in trained]).item())

    def noting(*args, **kwargs):
        measured.append(whole(*args, **kwargs).item())
        return torch.tensor(measured[-1])

    monkeypatch.setattr(utils, "get_total_norm", noting)
    monkeypatch.setattr(utils.clip_grad, "_get_total_norm", noting)
    brain = toy(tmp_path, epochs=1, kind=Hooked, max_grad_norm=0.01)
    fit(brain)
    assert len(measured) == len(stepped) == brain.optimizer_step > 0
    assert min(measured) > 0.01 and max(stepped) == pytest.approx(0.01, 1e-3)


class Steepen(torch.autograd.Function):
    """Is zero, and its gradient enormous."""

    @staticmethod
    def forward(ctx, loss):
        return torch.zeros_like(loss)

    @staticmethod
    def backward(ctx, grad):
        return grad * 1e30


@pytest.mark.fault("gradients that are not finite")
def test_gradients_that_are_not_finite(tmp_path):
    """Clipping at infinity would divide infinity by itself."""
    with pytest.raises(ValueError, match=r"The gradients are not finite at st"):
        fit(toy(tmp_path / "a", kind=Steep, nonfinite_patience=0))
    brain = toy(tmp_path / "b", kind=Steep, nonfinite_patience=1)
    fit(brain)
    assert brain.optimizer_step == 4 * 3 - 1
    tensors = brain.modules.state_dict().values()
    assert all(tensor.isfinite().all() for tensor in tensors)
