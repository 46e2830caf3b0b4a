"""PETLBrain: what a training of any task does."""

import pytest
import torch
from speechbrain_petl.training.precision import best_precision
from torch import nn

from speechbrain.utils.epoch_loop import EpochCounter
from tests.training.toys import clips, fit, toy


def test_what_trains_is_logged(tmp_path, caplog):
    caplog.set_level("INFO", logger="speechbrain_petl")
    fit(toy(tmp_path, epochs=1))
    line = "Trainable parameters: method 0, norm 0, norm_final 9, head 8"
    assert line in caplog.text


def test_the_device_decides_on_precision(tmp_path):
    brain = toy(tmp_path)
    assert brain.precision == brain.hparams.precision == best_precision("cpu")
    assert toy(tmp_path, precision="fp32").precision == "fp32"


def test_a_metric_that_the_task_lacks_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match="'mAP' .* one of accuracy, unweighted_accuracy, loss"
    ):
        toy(tmp_path, selects="mAP")


def test_the_corpus_decides_on_the_width_of_the_head(tmp_path):
    brain = toy(tmp_path)
    head = brain.modules.classifier
    assert (head.in_features, head.out_features) == (3, 2)
    assert brain.checkpointer.recoverables["classifier"] is head


def test_what_is_frozen_is_left_out_of_the_optimizer(tmp_path):
    brain = toy(tmp_path, epochs=1)
    frozen = brain.modules.encoder.weight.requires_grad_(False)
    before = frozen.clone()
    fit(brain)
    (group,) = brain.optimizer.param_groups
    assert not any(p is frozen for p in group["params"])
    assert len(group["params"]) == 3
    assert torch.equal(frozen, before)
    assert brain.count_parameters()["head"] == 8


def test_the_schedule_is_of_all_updates(tmp_path):
    brain = toy(tmp_path, epochs=5)
    fit(brain, n=7)
    assert (brain.updates_per_epoch, brain.total_updates) == (4, 20)
    assert brain.schedule.last_epoch == brain.optimizer_step == 20


def test_each_epoch_leaves_one_line_and_the_test_another(tmp_path):
    brain = toy(tmp_path, epochs=2)
    options = fit(brain)
    brain.evaluate(clips(seed=2), test_loader_kwargs=options)
    lines = (tmp_path / "train_log.txt").read_text().splitlines()
    assert [line.split(",")[0].split(" - ")[0] for line in lines] == [
        "epoch: 1",
        "epoch: 2",
        f"Epoch loaded: {brain.best['epoch']}",
    ]


def test_a_head_that_is_frozen_is_not_counted(tmp_path):
    brain = toy(tmp_path)
    brain.modules.classifier.requires_grad_(False)
    assert brain.count_parameters()["head"] == 0


def test_an_epoch_more_is_trained_by_the_same_counter(tmp_path):
    fit(toy(tmp_path, epochs=1))
    longer = toy(tmp_path, epochs=2)
    assert isinstance(longer.hparams.epoch_counter, EpochCounter)
    fit(longer)
    assert longer.total_updates == 6
    assert isinstance(longer.modules.classifier, nn.Linear)
    log = (tmp_path / "train_log.txt").read_text()
    assert log.count("epoch: 1,") == log.count("epoch: 2,") == 1
