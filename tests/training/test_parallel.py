"""Two processes train, evaluate and resume as one."""

import csv
import json
import logging
import os
import random
import shutil

import numpy as np
import pytest
import torch
from speechbrain_petl.training.parallel import leave_group, own_batches, unwrap
from speechbrain_petl.training.rng import RandomState
from torch.utils.data import DataLoader

from speechbrain.dataio.batch import PaddedBatch
from tests.training.speakers import TRAINED, speakers, test, train, utterances
from tests.training.toys import (
    Dropping,
    Normalized,
    Patched,
    ToyBrain,
    clips,
    dropping,
    fit,
    same,
    toy,
)

SIZES = (7, 1)  # of test sets: 4 batches and 1, for two processes
OPTIONS = {"batch_size": 2, "collate_fn": PaddedBatch}


def rank_of_two(rank, folder):
    """What each process does; rank 0 writes down what came of it."""
    torch.set_num_threads(1)
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2")
    torch.distributed.init_process_group(
        "gloo", f"file://{folder / 'meet'}", rank=rank, world_size=2
    )
    found = {
        "evaluated": evaluated(folder),
        "random": random_numbers(folder),
        "resumed": resumed(folder),
        "patched": resumed(folder / "patched", encoder=Patched),
        "normalized": normalized(folder),
        "verified": verified(folder),
    }
    everybody = [None, None]
    torch.distributed.all_gather_object(everybody, found)
    if rank == 0:
        (folder / "found.json").write_text(json.dumps(everybody))
    leave_group()


def evaluated(folder):
    """Trains, and tests on sets of several sizes, shared out or not."""
    brain = toy(folder / "evaluated", distributed_backend="gloo")
    fit(brain)
    seen = {}
    for size in SIZES:
        brain.evaluate(clips(size, seed=2), test_loader_kwargs={**OPTIONS})
        seen[size] = sum(len(ids) for ids, _ in brain.evaluated)
        if torch.distributed.get_rank() == 0:
            keep(folder / "evaluated", folder / f"two_{size}")
        torch.distributed.barrier()
    brain.evaluate(DataLoader(clips(7, seed=2), **OPTIONS))
    if torch.distributed.get_rank() == 0:
        keep(folder / "evaluated", folder / "two_whole")
    return seen


def verified(folder):
    """Trains on speakers, and tests by trials, with a cohort."""
    options = {"distributed_backend": "gloo", "ckpt_interval_steps": 1}
    norm = {"score_norm": "s", "cohort_top": 2}
    whole = speakers(folder / "verified", **options, **norm)
    train(whole)
    test(whole, cohort_set=utterances(TRAINED))
    cut = speakers(folder / "cut_off", die_at=(2, 2), **options, **norm)
    with pytest.raises(KeyboardInterrupt):
        train(cut)
    again = speakers(folder / "cut_off", **options, **norm)
    train(again)
    test(again, cohort_set=utterances(TRAINED))
    return {
        "embedded": sum(len(ids) for ids, _ in whole.evaluated),
        "same": same(again, whole),
        "scores": whole.scored.scores.tolist(),
        "again": again.scored.scores.tolist(),
    }


def keep(run, folder):
    """Keeps a run's results."""
    folder.mkdir()
    for name in ("results.json", "predictions.csv"):
        shutil.copy(run / name, folder)


def random_numbers(folder):
    """What each process draws first in training."""
    drawn = []

    class Drawing(Dropping):
        def on_update_start(self):
            super().on_update_start()
            if not drawn:
                state = RandomState()
                path = folder / "rng.ckpt"
                state.save(path)
                torch.distributed.barrier()
                drawn.append(draw())
                state.load(path)
                drawn.append(draw())

    brain = dropping(folder / "random", distributed_backend="gloo")
    brain.__class__ = Drawing
    fit(brain)
    return drawn


def draw():
    """A number of each generator."""
    return [torch.rand(()).item(), random.random(), float(np.random.rand())]


def resumed(folder, **options):
    """Whether an interrupted run ends as one that was not."""
    options |= {"distributed_backend": "gloo", "ckpt_interval_steps": 1}
    whole = dropping(folder / "whole", **options)
    fit(whole, n=7)
    report = []
    for die_at in [(1, 2), (3, 1), (4, 2)]:
        path = folder / f"cut_{die_at[0]}"
        cut = dropping(path, die_at, **options)
        try:
            fit(cut, n=7)
        except KeyboardInterrupt:
            pass
        torch.manual_seed(99)
        again = dropping(path, **options)
        fit(again, n=7)
        losses = whole.losses[-len(again.losses) :] == again.losses
        report.append([losses, same(again, whole)])
    return report


def normalized(folder):
    """Buffers that each process validates with, after training apart."""
    records, means = [], []

    class Noting(ToyBrain):
        def evaluate_batch(self, batch, stage):
            norm = self.modules.encoder.module.batch_norm
            means.append(norm.running_mean.tolist())
            return super().evaluate_batch(batch, stage)

    handler = logging.Handler()
    handler.emit = records.append
    logging.getLogger("speechbrain_petl").addHandler(handler)
    brain = toy(
        folder / "normalized",
        epochs=1,
        kind=Noting,
        encoder=Normalized,
        distributed_backend="gloo",
    )
    fit(brain, n=8)
    told = [r.getMessage() for r in records if "BatchNorm" in r.getMessage()]
    return [told, means[0]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where two processes have run."""
    path = tmp_path_factory.mktemp("parallel")
    torch.multiprocessing.spawn(rank_of_two, (path,), nprocs=2)
    return path


@pytest.fixture(scope="module")
def found(folder):
    """What each of two processes found."""
    return json.loads((folder / "found.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.fault("several processes: test set that cannot be halved")
def test_results_are_those_of_one_process(size, folder, found):
    assert [len(s["evaluated"]) for s in found] == [2, 2]
    shares = [s["evaluated"][str(size)] for s in found]
    assert sum(shares) == size and shares[0] > shares[1]
    one = toy(folder / f"one_{size}")
    shutil.copytree(
        folder / "evaluated" / "save",
        folder / f"one_{size}" / "save",
        dirs_exist_ok=True,
    )
    one.evaluate(clips(size, seed=2), test_loader_kwargs={**OPTIONS})
    compare(folder / f"one_{size}", folder / f"two_{size}")
    if size == 7:
        compare(folder / f"one_{size}", folder / "two_whole")


def compare(one, two):
    """Compares all that two runs say of a test set."""
    rows, others = (
        list(csv.reader((path / "predictions.csv").open()))
        for path in (one, two)
    )
    assert rows == others
    results, other = (
        json.loads((path / "results.json").read_text()) for path in (one, two)
    )
    for run in (results, other):
        run.pop("hyperparameters")
    assert results == other


@pytest.mark.slow
@pytest.mark.fault("several processes: same random numbers")
def test_each_process_draws_numbers_of_its_own(found):
    first, other = (process["random"] for process in found)
    assert first[0] == first[1] and other[0] == other[1], "not restored"
    assert all(x != y for x, y in zip(first[0], other[0], strict=True))


@pytest.mark.slow
@pytest.mark.fault("several processes: run interrupted at a step")
@pytest.mark.parametrize("kind", ["resumed", "patched"])
def test_two_processes_resume_bit_equal(kind, found):
    """Also with Patchout, whose patches are drawn at each step."""
    for process in found:
        assert process[kind] == [[True, True]] * 3


@pytest.mark.slow
def test_batch_norm_on_cpus(found):
    """It runs, says what it means, and all use one set of statistics."""
    told, mean = found[0]["normalized"]
    assert len(told) == 1 and "not synchronized on CPUs" in told[0]
    assert found[1]["normalized"][1] == mean
    assert any(mean)


def test_batches_are_dealt_out(monkeypatch):
    options = {"batch_size": 2, "shuffle": False, "num_workers": 3}
    dealt = []
    for rank in range(3):
        monkeypatch.setattr(
            "speechbrain_petl.training.parallel.rank", lambda: rank
        )
        monkeypatch.setattr(
            "speechbrain_petl.training.parallel.n_processes", lambda: 3
        )
        kwargs = own_batches(range(7), options)
        assert kwargs.pop("num_workers") == 3
        dealt.append(kwargs.pop("batch_sampler"))
        assert not kwargs
    assert dealt == [[[0, 1], [6]], [[2, 3]], [[4, 5]]]
    assert options == {"batch_size": 2, "shuffle": False, "num_workers": 3}


def test_a_checkpoint_of_more_processes_is_read_with_a_warning(
    tmp_path, monkeypatch, caplog
):
    state, path = RandomState(), tmp_path / "rng.ckpt"
    with monkeypatch.context() as patched:
        patched.setattr(
            "speechbrain_petl.training.rng.gather", lambda value: [value] * 2
        )
        state.save(path)
    numbers = draw()
    state.load(path)
    assert draw() == numbers
    assert "written by 2 processes and is read by 1" in caplog.text


def test_wrappers_of_training_are_taken_off():
    module = torch.nn.Linear(2, 2)
    compiled = torch.compile(module, backend="eager")
    assert unwrap(compiled) is unwrap(module) is module
    assert unwrap(torch.nn.DataParallel(module)) is module


@pytest.mark.slow
@pytest.mark.fault("several processes: verification interrupted at a step")
def test_two_processes_verify_as_one(folder, found):
    mine, other = (each["verified"] for each in found)
    assert sorted([mine["embedded"], other["embedded"]]) == [4, 5]
    assert mine["same"] and other["same"], "resumed bit-equal"
    assert mine["scores"] == other["scores"] == mine["again"]
    one = speakers(folder / "verified_by_one", score_norm="s", cohort_top=2)
    shutil.copytree(
        folder / "verified" / "save",
        folder / "verified_by_one" / "save",
        dirs_exist_ok=True,
    )
    test(one, cohort_set=utterances(TRAINED))
    assert one.scored.scores.tolist() == pytest.approx(mine["scores"])
