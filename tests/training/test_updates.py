"""Every batch of an epoch belongs to an update."""

import pytest
import torch
from speechbrain_petl.training.updates import batch_sizes
from torch.utils.data import BatchSampler, DataLoader

from tests.training.toys import ToyBrain, dropping, fit, same, toy


def weights(brain):
    """All parameters as one vector."""
    return torch.cat([p.detach().flatten() for p in brain.modules.parameters()])


@pytest.mark.parametrize(
    "n, factor, batch_size",
    [(5, 2, 4), (5, 3, 6), (6, 2, 4), (6, 100, 6), (2, 9, 2), (7, 4, 8)],
)
def test_accumulated_batches_are_one_large_batch(
    n, factor, batch_size, tmp_path
):
    """The last batch of an epoch may be short, and the last update too."""
    exact = {"epochs": 3, "precision": "fp32"}  # bf16 rounds sums apart
    large = toy(tmp_path / "large", **exact)
    fit(large, batch_size=batch_size, n=n)
    parts = toy(tmp_path / "parts", grad_accumulation_factor=factor, **exact)
    start = weights(parts)
    fit(parts, n=n)
    assert parts.total_updates == large.total_updates
    assert parts.optimizer_step == large.optimizer_step == parts.total_updates
    assert not torch.equal(weights(parts), start)
    torch.testing.assert_close(weights(parts), weights(large))
    assert parts.optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-9)


def test_debug_mode_updates_too(tmp_path):
    brain = toy(
        tmp_path, debug=True, debug_epochs=1, grad_accumulation_factor=9
    )
    fit(brain)
    assert brain.optimizer_step == 1


@pytest.mark.parametrize("die_at", [(1, 2), (2, 1), (2, 3), (4, 3)])
@pytest.mark.fault("run interrupted between accumulated gradients")
def test_a_left_over_batch_is_resumed_bit_equal(die_at, tmp_path):
    whole = dropping(tmp_path / "whole", grad_accumulation_factor=2)
    fit(whole)
    options = {"ckpt_interval_steps": 1, "grad_accumulation_factor": 2}
    cut = dropping(tmp_path / "cut", die_at, **options)
    with pytest.raises(KeyboardInterrupt):
        fit(cut)
    torch.manual_seed(99)
    again = dropping(tmp_path / "cut", **options)
    fit(again)
    assert again.losses == whole.losses[-len(again.losses) :]
    assert same(again, whole)


class LastExplodes(ToyBrain):
    """Has a loss that is not a number in the last batch of the first epoch."""

    def compute_objectives(self, predictions, batch, stage):
        """The loss, or nan."""
        loss = super().compute_objectives(predictions, batch, stage)
        first = self.hparams.epoch_counter.current == 1
        bad = first and stage.name == "TRAIN" and self.step == 3
        return loss * float("nan") if bad else loss


@pytest.mark.fault("loss that is not finite")
def test_a_skipped_update_does_not_skip_the_next_one(tmp_path):
    brain = toy(
        tmp_path,
        epochs=2,
        kind=LastExplodes,
        grad_accumulation_factor=2,
        nonfinite_patience=1,
    )
    fit(brain)
    assert brain.total_updates == 4
    assert brain.optimizer_step == 3


def test_no_batch_is_no_training(tmp_path):
    brain = toy(tmp_path)
    loader = DataLoader(range(3), batch_size=4, drop_last=True)
    with pytest.raises(ValueError, match="gives no batch"):
        brain.plan_updates(loader)


def test_sizes_of_batches():
    clips = range(10)
    assert batch_sizes(DataLoader(clips, batch_size=4)) == [4, 4, 2]
    assert batch_sizes(DataLoader(clips, 4, drop_last=True)) == [4, 4]
    assert batch_sizes(DataLoader(clips, batch_size=5)) == [5, 5]
    own = BatchSampler(clips, 4, drop_last=False)
    assert batch_sizes(DataLoader(clips, batch_sampler=own)) == [1, 1, 1]
