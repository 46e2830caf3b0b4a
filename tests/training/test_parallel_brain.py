"""Processes differ in their random numbers only; see also test_parallel."""

import torch
from speechbrain_petl.training import parallel
from speechbrain_petl.training.rng import RandomState
from torch.utils.data import DistributedSampler

import speechbrain as sb
from speechbrain.dataio.batch import PaddedBatch
from tests.training.toys import Normalized, clips, toy

OPTIONS = {"batch_size": 2, "collate_fn": PaddedBatch}


def test_a_loader_draws_nothing_from_the_global_generator(tmp_path):
    """A resumed epoch makes its iterator once more."""
    brain = toy(tmp_path)
    loader = brain.make_dataloader(
        clips(), sb.Stage.TRAIN, **OPTIONS, shuffle=True
    )
    before = torch.get_rng_state()
    next(iter(loader))
    assert torch.equal(torch.get_rng_state(), before)


def test_random_numbers_are_in_the_checkpoint(tmp_path):
    recoverables = toy(tmp_path).checkpointer.recoverables
    assert isinstance(recoverables["rng"], RandomState)


def test_the_second_of_two_processes_evaluates_its_share(tmp_path, monkeypatch):
    brain = toy(tmp_path)
    monkeypatch.setattr(parallel, "n_processes", lambda: 2)
    monkeypatch.setattr(parallel, "rank", lambda: 1)
    for stage in (sb.Stage.VALID, sb.Stage.TEST):
        loader = brain.make_dataloader(clips(5), stage, **OPTIONS)
        assert [list(batch.id) for batch in loader] == [["c2", "c3"]]


def test_the_order_of_training_clips_follows_the_seed(tmp_path, monkeypatch):
    monkeypatch.setenv("SB_GLOBAL_SEED", "77")
    brain = toy(tmp_path)
    sampler = DistributedSampler(clips(), num_replicas=2, rank=0)
    brain.train_sampler = sampler
    brain.make_dataloader(clips(), sb.Stage.VALID, **OPTIONS)
    assert sampler.seed == 77


def test_buffers_are_shared_before_an_evaluation(tmp_path, monkeypatch):
    shared = []
    monkeypatch.setattr(parallel, "share_buffers", shared.append)
    brain = toy(tmp_path, encoder=Normalized)
    brain.on_stage_start(sb.Stage.TRAIN, 1)
    assert shared == []
    brain.on_stage_start(sb.Stage.VALID, 1)
    assert shared == [brain.modules]
