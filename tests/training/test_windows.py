"""Long clips are evaluated by windows, in any batch as alone."""

import pytest
import torch
from speechbrain_petl.lobes.features import ASTFbank
from speechbrain_petl.training.windows import by_windows, pad_windows
from torch import nn

import speechbrain as sb
from speechbrain.dataio.batch import PaddedBatch
from tests.training.toys import ToyBrain, fit, toy

FBANK = ASTFbank(max_length=20)


def batch(*sizes):
    """Clips of so many samples."""
    generator = torch.Generator().manual_seed(0)
    return PaddedBatch(
        [
            {"id": f"c{i}", "sig": torch.rand(n, generator=generator)}
            for i, n in enumerate(sizes)
        ]
    )


def forward(batch):
    """Two numbers of each clip's features."""
    feats = FBANK(*batch.sig)
    return torch.stack([feats.mean(dim=(1, 2)), feats.std(dim=(1, 2))], dim=1)


def join(windows):
    """The mean of windows."""
    assert windows.dim() == 2 and len(windows) > 1
    return windows.mean(dim=0)


def test_a_clip_gives_the_same_in_any_batch():
    sizes = [9000, 2000, 3400, 30_000]  # of which 3440 samples fit
    together = by_windows(batch(*sizes), FBANK, forward, join)
    clips = batch(*sizes)
    for row, n in enumerate(sizes):
        alone = clips.sig.data[row, :n]
        one = PaddedBatch([{"id": "a", "sig": alone}])
        found = by_windows(one, FBANK, forward, join)
        torch.testing.assert_close(found[0], together[row])
    assert not torch.allclose(together[0], forward(batch(*sizes))[0])


def test_short_clips_run_as_they_are():
    clips, seen = batch(3000, 2000), []
    by_windows(clips, FBANK, lambda b: seen.append(b) or forward(b), join)
    assert len(seen) == 1 and seen[0] is clips


def test_no_more_windows_at_once_than_clips_of_a_batch_or_16():
    sizes = []

    def counted(batch):
        sizes.append(len(batch.sig.data))
        return forward(batch)

    by_windows(batch(100_000), FBANK, counted, join)
    assert sizes == [16, 14]


def test_states_of_windows():
    """Stored beforehand, they give what the windows give."""
    clips = [torch.rand(3, 5), torch.rand(1, 5)]
    stored = PaddedBatch(
        [{"id": str(i), "states": x} for i, x in enumerate(clips)]
    )
    found = by_windows(stored, FBANK, lambda b: b.states.data * 2, join)
    torch.testing.assert_close(found[0], 2 * clips[0].mean(dim=0))
    torch.testing.assert_close(found[1], 2 * clips[1][0])


def test_lengths_of_windows_are_exact():
    wavs, lens = pad_windows([torch.ones(2, 16_240), torch.ones(1, 12_345)])
    assert (lens * wavs.shape[1]).round().tolist() == [16_240, 16_240, 12_345]


class Heard(ToyBrain):
    """Classifies by two numbers of the features."""

    def compute_forward(self, batch, stage):
        """Logits [B, 2] of a fixed, sharp head."""
        return forward(batch) * 7.0


@pytest.mark.parametrize("windows", [None, 1, 4])
def test_a_brain_averages_posteriors(windows, tmp_path):
    brain = toy(tmp_path, kind=Heard)
    front_end = ASTFbank(max_length=20, windows=windows)
    brain.modules["compute_features"] = front_end
    clip = batch(9000)
    found = brain.predict(clip, sb.Stage.TEST).softmax(dim=1)
    wav = clip.sig.data[0]
    starts = {None: [0, 2780, 5560], 1: [0], 4: [0, 1853, 3707, 5560]}[windows]
    parts = [
        forward(PaddedBatch([{"id": "a", "sig": wav[s : s + 3440]}])) * 7.0
        for s in starts
    ]
    wanted = torch.cat(parts).softmax(dim=1).mean(dim=0)
    torch.testing.assert_close(found[0], wanted)


def test_a_brain_without_a_front_end_reads_whole_clips(tmp_path):
    brain = toy(tmp_path, epochs=1)
    assert "compute_features" not in brain.modules
    assert isinstance(brain.modules.encoder, nn.Linear)
    fit(brain)
