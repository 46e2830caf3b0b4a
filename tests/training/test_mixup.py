"""Mixup: what is mixed with what, and that a run with it is resumed."""

import pytest
import torch
from speechbrain_petl.training.mixup import Mixup, refuse_stored

from tests.training.toys import ToyBrain, fit, same, toy


def batch(n=6, samples=10):
    """Waveforms of all lengths, zero-padded, and indices of 3 classes."""
    torch.manual_seed(1)
    lens = torch.linspace(0.5, 1.0, n)
    wavs = torch.rand(n, samples) + 0.5
    wavs = wavs * (torch.arange(samples) < (lens * samples).round()[:, None])
    return wavs, lens, torch.arange(n) % 3


def test_nothing_is_drawn_or_changed_without_it():
    wavs, lens, targets = batch()
    before = torch.get_rng_state()
    same_wavs, same_targets = Mixup()(wavs, lens, targets, 3)
    assert same_wavs is wavs and same_targets is targets
    assert torch.equal(torch.get_rng_state(), before)


def test_waveforms_and_targets_have_the_same_weights():
    """Solved back from the sums: the weight, and the one other clip."""
    wavs, lens, targets = batch()
    mixed, shares = Mixup(1.0)(wavs, lens, targets, 3)
    for i, (wav, share) in enumerate(zip(mixed, shares, strict=True)):
        inside = torch.arange(10) < (lens[i] * 10).round()
        fits = []
        for j in range(6):
            other = wavs[j] * inside
            weight = ((wav - other) @ (wavs[i] - other)) / (
                (wavs[i] - other).square().sum().clamp_min(1e-9)
            )
            blend = weight * wavs[i] + (1 - weight) * other
            if j != i and torch.allclose(wav, blend, atol=1e-6):
                fits.append((j, weight))
        ((j, weight),) = fits
        assert 0 < weight < 1
        wanted = torch.zeros(3)
        wanted[targets[i]] += weight
        wanted[targets[j]] += 1 - weight
        torch.testing.assert_close(share, wanted)


def test_several_labels_are_added():
    """A label of both clips stays whole."""
    both = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    _, shares = Mixup(1.0)(torch.rand(2, 5), torch.ones(2), both, 3)
    torch.testing.assert_close(shares[:, 1], torch.ones(2))
    torch.testing.assert_close(shares[:, 0] + shares[:, 2], torch.ones(2))
    assert ((shares > 0) == torch.ones(2, 3, dtype=bool)).all()


def test_how_often_and_how_much():
    torch.manual_seed(0)
    wavs, lens = torch.eye(500), torch.ones(500)
    mixed, shares = Mixup(0.3, 10.0)(wavs, lens, torch.arange(500), 500)
    touched = (mixed != wavs).any(dim=1)
    assert 0.25 < touched.float().mean() < 0.35
    weights = shares.diagonal()[touched]
    # Beta(10, 10): mean 1 / 2, variance 1 / 84
    assert abs(weights.mean() - 0.5) < 0.03
    assert abs(weights.std() - (1 / 84) ** 0.5) < 0.02
    partners = shares.fill_diagonal_(0)[touched].argmax(dim=1)
    assert partners.unique().numel() > 0.8 * touched.sum()


def test_a_broken_clip_stays_alone():
    """The message about a loss that is not finite names the right clips."""
    wavs, lens, targets = batch()
    wavs[2] = float("nan")
    mixed, _ = Mixup(1e-9)(wavs, lens, targets, 3)
    assert torch.equal(mixed.isnan(), wavs.isnan())


def test_a_batch_of_one_clip_has_nobody_to_be_mixed_with():
    mixed, shares = Mixup(1.0)(
        torch.ones(1, 4), torch.ones(1), torch.tensor([2]), 3
    )
    assert torch.equal(mixed, torch.ones(1, 4))
    assert shares.tolist() == [[0.0, 0.0, 1.0]]


@pytest.mark.parametrize(
    "options, words",
    [
        ({"probability": 1.5}, "mixup is 1.5, but a probability"),
        ({"probability": -0.1}, "mixup is -0.1, but a probability"),
        ({"alpha": 0.0}, "mixup_alpha is 0.0"),
        ({"alpha": float("inf")}, "mixup_alpha is inf"),
    ],
)
def test_bad_values_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        Mixup(**options)


def test_stored_states_are_not_mixed():
    with pytest.raises(ValueError, match="mixup is 0.5.*stored_states"):
        refuse_stored(Mixup(0.5))


class Mixing(ToyBrain):
    """Notes targets and losses, and may be interrupted at (epoch, step)."""

    die_at = None

    def fit_batch(self, batch):
        """Notes what a step sees."""
        if (self.hparams.epoch_counter.current, self.step) == self.die_at:
            raise KeyboardInterrupt
        loss = super().fit_batch(batch)
        self.seen.append((loss.item(), batch.target.tolist()))
        return loss


def mixing(folder, die_at=None, probability=0.7, **options):
    """A brain that mixes."""
    brain = toy(folder, kind=Mixing, **options)
    brain.modules["mix"] = Mixup(probability)
    brain.seen, brain.die_at = [], die_at
    return brain


def test_a_brain_trains_on_the_shares(tmp_path):
    brain = mixing(tmp_path)
    fit(brain)
    targets = torch.tensor([row for _, batch in brain.seen for row in batch])
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(len(targets)))
    mixed = ((targets > 0) & (targets < 1)).any(dim=1)
    assert 0 < mixed.sum() < len(targets)
    plain = mixing(tmp_path / "plain", probability=0.0)
    fit(plain)
    assert not same(brain, plain)
    assert all(isinstance(t, int) for _, batch in plain.seen for t in batch)


@pytest.mark.parametrize("die_at", [(1, 2), (2, 1), (4, 3)])
def test_an_interrupted_run_mixes_the_same(die_at, tmp_path):
    whole = mixing(tmp_path / "whole")
    fit(whole)
    cut = mixing(tmp_path / "cut", die_at, ckpt_interval_steps=1)
    with pytest.raises(KeyboardInterrupt):
        fit(cut)
    torch.manual_seed(99)
    again = mixing(tmp_path / "cut", ckpt_interval_steps=1)
    fit(again)
    assert again.seen == whole.seen[-len(again.seen) :]
    assert same(again, whole)
