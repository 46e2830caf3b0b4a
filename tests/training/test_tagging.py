"""The brain of several labels a clip."""

import csv
import json

import pytest
import torch
from speechbrain_petl.lobes.losses import bce
from speechbrain_petl.training.tag_results import (
    TagResult,
    f_scores,
    write_tag_results,
)
from speechbrain_petl.training.tagging import AudioTaggingBrain
from torch import nn

from speechbrain.dataio.batch import PaddedBatch
from speechbrain.dataio.encoder import CategoricalEncoder
from tests.training.toys import same, toy


class Tagger(AudioTaggingBrain):
    """Tags vectors of 3 numbers; may be interrupted at (epoch, step)."""

    die_at = None

    def compute_forward(self, batch, stage):
        """Logits [B, 2]."""
        vectors = batch.to(self.device).sig.data
        if stage.name == "TRAIN":
            vectors = nn.functional.dropout(vectors, 0.3)
        return self.modules.classifier(self.modules.encoder(vectors))

    def compute_objectives(self, predictions, batch, stage):
        """Binary cross entropy."""
        return bce(predictions, batch.target.data)

    def fit_batch(self, batch):
        """Notes the loss of each step."""
        if (self.hparams.epoch_counter.current, self.step) == self.die_at:
            raise KeyboardInterrupt
        loss = super().fit_batch(batch)
        self.losses.append(loss.item())
        return loss


def clips(n=8, seed=0):
    """Vectors whose first two numbers' signs are their labels."""
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.randn(n, 3, generator=generator)
    return [
        {"id": f"c{i}", "sig": v, "target": (v[:2] > 0).float()}
        for i, v in enumerate(vectors)
    ]


def tagger(folder, die_at=None, selects="mAP", **options):
    """A tagger with everything that a recipe gives it."""
    brain = toy(folder, selects=selects, kind=Tagger, **options)
    brain.losses, brain.die_at = [], die_at
    return brain


OPTIONS = {"batch_size": 3, "collate_fn": PaddedBatch}


def fit(brain, valid=True):
    """Trains on toy clips."""
    brain.fit(
        brain.hparams.epoch_counter,
        clips(),
        clips(seed=1) if valid else None,
        train_loader_kwargs=dict(OPTIONS),
        valid_loader_kwargs=dict(OPTIONS),
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run: its folder, its brain and its results."""
    folder = tmp_path_factory.mktemp("run")
    brain = tagger(folder)
    fit(brain)
    brain.evaluate(clips(20, seed=2), test_loader_kwargs=dict(OPTIONS))
    return folder, brain, json.loads((folder / "results.json").read_text())


def test_results_of_a_run(run):
    folder, _, results = run
    assert results["selects"] == "mAP" and results["direction"] == "max"
    assert results["n_test"] == 20 and 0.6 < results["mAP"] <= 1
    assert results["mAP"] == pytest.approx(sum(results["ap"].values()) / 2)
    assert set(results["ap"]) == {"low", "high"} == set(results["auc"])
    assert results["positives"]["low"] == sum(
        int(clip["target"][0]) for clip in clips(20, seed=2)
    )
    assert 0 < results["f1_macro"] <= 1
    log = (folder / "train_log.txt").read_text()
    assert "valid mAP: " in log and "thresholds" not in log
    picture = (folder / "average_precision.png").read_bytes()
    assert picture[1:4] == b"PNG"


def test_predictions_are_the_labels_above_the_thresholds(run):
    folder, brain, results = run
    thresholds = results["thresholds"]
    assert brain.task == "tagging"
    assert brain.decision() == {"thresholds": list(thresholds.values())}
    rows = list(csv.DictReader((folder / "predictions.csv").open()))
    assert len(rows) == 20
    for row in rows:
        told = json.loads(row["predictions"])
        assert told == [
            name
            for name, threshold in thresholds.items()
            if float(row[f"score {name}"]) > threshold
        ]
    assert any(len(json.loads(row["targets"])) == 2 for row in rows)
    assert any(row["targets"] == "[]" for row in rows)


def test_thresholds_are_those_of_the_epoch_that_is_tested(tmp_path):
    """And not those of the last epoch: the checkpoint has them."""
    brain = tagger(tmp_path, epochs=3)
    fit(brain)
    metas = {
        c.meta["epoch"]: c.meta["thresholds"]
        for c in brain.checkpointer.list_checkpoints()
    }
    again = tagger(tmp_path, epochs=3)
    again.evaluate(clips(20, seed=2), test_loader_kwargs=dict(OPTIONS))
    best = again.best["epoch"]
    assert again.decision()["thresholds"] == metas[best]


def test_without_validation_thresholds_are_a_half(tmp_path):
    brain = tagger(tmp_path, epochs=1)
    fit(brain, valid=False)
    brain.evaluate(clips(20, seed=2), test_loader_kwargs=dict(OPTIONS))
    assert brain.decision() == {"thresholds": [0.5, 0.5]}


@pytest.mark.parametrize("die_at", [(1, 2), (2, 1), (4, 3)])
@pytest.mark.fault("run of tagging interrupted at a step")
def test_an_interrupted_run_is_bit_equal(die_at, tmp_path):
    whole = tagger(tmp_path / "whole")
    fit(whole)
    cut = tagger(tmp_path / "cut", die_at, ckpt_interval_steps=1)
    with pytest.raises(KeyboardInterrupt):
        fit(cut)
    torch.manual_seed(99)
    again = tagger(tmp_path / "cut", ckpt_interval_steps=1)
    fit(again)
    assert again.losses == whole.losses[-len(again.losses) :]
    assert same(again, whole)
    for brain in (whole, again):
        brain.evaluate(clips(20, seed=2), test_loader_kwargs=dict(OPTIONS))
    results = [
        json.loads((tmp_path / name / "results.json").read_text())
        for name in ("whole", "cut")
    ]
    for key in ("mAP", "ap", "thresholds", "loss", "best_epoch"):
        assert results[0][key] == results[1][key]


def test_windows_are_joined_as_probabilities(run):
    logits = torch.tensor([[2.0, -30.0], [-1.0, -40.0], [0.5, 300.0]])
    joined = run[1].join_windows(logits)
    wanted = logits.sigmoid().mean(dim=0)
    torch.testing.assert_close(joined.sigmoid(), wanted)
    torch.testing.assert_close(run[1].join_windows(logits[:1]), logits[0])


def test_a_metric_that_tagging_lacks_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no metric 'accuracy'.*mAP, mAUC"):
        tagger(tmp_path, selects="accuracy")


def labels(*names):
    """A label map."""
    encoder = CategoricalEncoder()
    encoder.update_from_iterable(names)
    encoder.expect_len(len(names))
    return encoder


def test_what_has_no_number_is_null(tmp_path):
    """A class that no clip has; a d' of certain scores."""
    targets = torch.tensor([[1.0, 0, 0], [0, 1, 0]])
    result = TagResult(["a", "b"], targets, 5 * targets)
    names = labels("x", 'y, "$', "z")
    write_tag_results(tmp_path, result, [0.5] * 3, names, {"loss": 0.1}, {})
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["mAP"] == 1 and results["d_prime"] is None
    assert results["ap"] == {"x": 1, 'y, "$': 1, "z": None}
    assert results["auc"]["z"] is None and results["positives"]["z"] == 0
    rows = list(csv.DictReader((tmp_path / "predictions.csv").open()))
    assert json.loads(rows[1]["predictions"]) == ['y, "$']


def test_f_scores_are_scikit_learns():
    from sklearn.metrics import f1_score

    generator = torch.Generator().manual_seed(0)
    given = torch.rand(50, 4, generator=generator) > 0.6
    has = (torch.rand(50, 4, generator=generator) > 0.5).float()
    micro, macro = f_scores(given, has)
    assert micro == pytest.approx(f1_score(has, given, average="micro"))
    assert macro == pytest.approx(f1_score(has, given, average="macro"))
    nothing = torch.zeros(3, 2)
    assert f_scores(nothing > 1, nothing) == (0.0, None)
