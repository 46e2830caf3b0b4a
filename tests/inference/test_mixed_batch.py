"""One batch for several tasks: each clip goes to its own."""

import torch
from speechbrain_petl.artefacts.trained import Trained
from speechbrain_petl.inference.mixed_batch import classify, decide
from torch import nn


class FrontEnd(nn.Module):
    """Passes waveforms on, and counts the clips of each call."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def forward(self, wavs, lens):
        """Returns the waveforms, as long as they are."""
        self.calls.append(len(wavs))
        return wavs * lens.unsqueeze(1)


class Head(nn.Module):
    """Takes some samples as logits."""

    def __init__(self, sign, n_classes):
        super().__init__()
        self.sign, self.n_classes = sign, n_classes

    def forward(self, embeddings):
        """Returns logits."""
        return self.sign * embeddings[:, : self.n_classes]


def task(front_end, sign, labels):
    """Makes a task."""
    facts = {"labels": labels}
    return Trained(facts, front_end, nn.Identity(), Head(sign, len(labels)))


def test_clips_keep_their_order_and_front_ends_are_shared():
    shared, own = FrontEnd(), FrontEnd()
    models = {
        "most": task(shared, 1, ["a", "b", "c"]),
        "least": task(shared, -1, ["d", "e"]),
        "other": task(own, 1, ["f", "g"]),
        "idle": task(FrontEnd(), 1, ["h"]),
    }
    names = ["least", "most", "other", "least", "most"]
    wavs = torch.tensor(
        [[0, 9, 0], [0, 0, 9], [9, 0, 0], [9, 0, 0], [0, 9, 0]]
    ).float()
    found = classify(models, wavs, torch.ones(5), names)
    assert [one.task for one in found] == names
    assert [one.label for one in found] == ["d", "c", "f", "e", "b"]
    assert [len(one.posteriors) for one in found] == [2, 3, 2, 2, 3]
    assert (shared.calls, own.calls) == ([4], [1])
    assert models["idle"].compute_features.calls == []


def test_lengths_go_with_their_clips():
    models = {"x": task(FrontEnd(), 1, "ab"), "y": task(FrontEnd(), 1, "ab")}
    lens = torch.tensor([1.0, 0.25, 0.5])
    found = classify(models, torch.eye(2)[[0, 0, 0]], lens, ["x", "y", "x"])
    for one, length in zip(found, lens):
        expected = torch.stack([length, torch.zeros(())]).log_softmax(0)
        torch.testing.assert_close(one.posteriors, expected)


def test_the_best_class_has_its_score_and_label():
    posteriors = torch.tensor([0.2, 0.7, 0.1]).log()
    model = Trained({"labels": ["a", "b", "c"]}, None, None, None)
    found = decide("task", posteriors, model)
    assert (found.index, found.label, found.given) == (1, "b", [1])
    assert found.score == posteriors[1]
