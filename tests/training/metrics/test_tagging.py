"""Tagging metrics against scikit-learn and the reference's numbers."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from sklearn.metrics import average_precision_score, roc_auc_score
from speechbrain_petl.training.metrics.tagging import (
    average_precision,
    d_prime,
    roc_auc,
    score_tags,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "metrics"


@pytest.fixture(scope="module")
def golden():
    """Scores and labels of 300 clips, and what the reference made of them."""
    told = json.loads((GOLDEN / "ipet_multilabel.json").read_text())
    return load_file(GOLDEN / "ipet_multilabel.safetensors"), told["results"]


def draw(clips=500, classes=7, levels=None, seed=0):
    """Scores, with many ties if there are few levels, and labels."""
    generator = torch.Generator().manual_seed(seed)
    targets = (torch.rand(clips, classes, generator=generator) < 0.15).long()
    scores = torch.randn(clips, classes, generator=generator) + targets
    if levels:
        scores = (scores * levels).round() / levels
    return scores, targets


@pytest.mark.parametrize("epoch", ["epoch1", "epoch2"])
def test_the_references_numbers(golden, epoch):
    tensors, told = golden
    found = score_tags(tensors[f"scores_{epoch}"], tensors["labels"])
    assert torch.allclose(found.ap, tensors[f"AP_{epoch}"], atol=1e-9, rtol=0)
    assert torch.allclose(found.auc, tensors[f"AUC_{epoch}"], atol=1e-9, rtol=0)
    assert found.mean_ap == pytest.approx(told[epoch]["mAP"], abs=1e-9)
    assert found.mean_auc == pytest.approx(told[epoch]["mAUC"], abs=1e-9)
    assert found.d_prime == pytest.approx(told[epoch]["d_prime"], abs=1e-5)
    assert found.absent == []


def test_the_references_running_mean_of_scores(golden):
    tensors, told = golden
    epochs = [tensors[f"scores_epoch{i}"].double() for i in (1, 2)]
    mean = sum(epochs) / 2
    found = score_tags(mean, tensors["labels"])
    assert found.mean_ap == pytest.approx(told["epoch2"]["cum_mAP"], abs=1e-5)
    assert found.mean_auc == pytest.approx(told["epoch2"]["cum_mAUC"], abs=1e-5)


@pytest.mark.parametrize("levels", [None, 1, 3])
def test_scikit_learns_numbers(levels):
    scores, targets = draw(levels=levels)
    found = score_tags(scores, targets)
    arrays = targets.numpy(), scores.numpy()
    per_class = average_precision_score(*arrays, average=None)
    assert found.ap.numpy() == pytest.approx(per_class, abs=1e-9)
    per_class = roc_auc_score(*arrays, average=None)
    assert found.auc.numpy() == pytest.approx(per_class, abs=1e-9)
    assert found.mean_ap == pytest.approx(
        average_precision_score(*arrays), abs=1e-9
    )
    assert found.mean_auc == pytest.approx(roc_auc_score(*arrays), abs=1e-9)


@pytest.mark.filterwarnings("ignore:No positive", "ignore:Only one class")
def test_classes_without_positives_or_negatives():
    scores, targets = draw(classes=4)
    targets[:, 1], targets[:, 3] = 0, 1
    found = score_tags(scores, targets)
    theirs = average_precision_score(
        targets.numpy(), scores.numpy(), average=None
    )
    assert found.ap.numpy() == pytest.approx(theirs, abs=1e-9)
    assert found.ap[[1, 3]].tolist() == pytest.approx([0, 1])
    assert found.auc.isnan().tolist() == [False, True, False, True]
    assert found.absent == [1]
    assert found.mean_ap == pytest.approx(found.ap[[0, 2, 3]].mean().item())
    assert found.mean_auc == pytest.approx(found.auc[[0, 2]].mean().item())


def test_the_order_of_clips_does_not_matter():
    scores, targets = draw(levels=1)
    order = torch.randperm(len(scores))
    assert torch.equal(
        average_precision(scores, targets),
        average_precision(scores[order], targets[order]),
    )
    assert torch.equal(
        roc_auc(scores, targets), roc_auc(scores[order], targets[order])
    )


def test_d_prime_of_certain_tags():
    assert d_prime(1.0) == float("inf") and d_prime(0.0) == -float("inf")


@pytest.mark.parametrize(
    ("scores", "targets", "message"),
    [
        (torch.zeros(3), torch.zeros(3), r"\[3\] and targets \[3\]"),
        (torch.zeros(0, 2), torch.zeros(0, 2), "with a clip and a class"),
        (torch.zeros(2, 2), torch.full((2, 2), 0.5), "soft labels"),
        (torch.zeros(2, 2), torch.zeros(2, 2), "has any of the 2 labels"),
        (
            torch.tensor([[0.0], [torch.nan]]),
            torch.tensor([[0], [1]]),
            "1 clips are not finite, those in the rows 1:",
        ),
    ],
)
def test_what_cannot_be_scored_is_said(scores, targets, message):
    with pytest.raises(ValueError, match=message) as error:
        score_tags(scores, targets)
    assert "\n" not in str(error.value)
