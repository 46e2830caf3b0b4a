"""A checkpoint is there whole, or it is not there."""

import os
from pathlib import Path

import pytest
import torch
from speechbrain_petl.training.checkpointer import WholeCheckpointer

import speechbrain.utils.checkpoints


def test_a_save_that_breaks_off_leaves_the_one_before(tmp_path):
    model = torch.nn.Linear(2, 2)
    checkpointer = WholeCheckpointer(tmp_path, {"model": model})
    first = checkpointer.save_checkpoint(meta={"epoch": 1})

    def killed(obj, path):
        raise KeyboardInterrupt

    checkpointer.add_recoverable(
        "other", torch.nn.Linear(1, 1), custom_save_hook=killed
    )
    with pytest.raises(KeyboardInterrupt):
        checkpointer.save_checkpoint(meta={"epoch": 2})
    assert len(list(tmp_path.iterdir())) == 2

    again = WholeCheckpointer(tmp_path, {"model": model})
    assert [c.meta["epoch"] for c in again.list_checkpoints()] == [1]
    assert again.recover_if_possible().path == first.path
    again.save_checkpoint(meta={"epoch": 2}, name="named")
    names = {folder.name for folder in tmp_path.iterdir()}
    assert names == {first.path.name, "CKPT+named"}


def test_only_the_best_are_kept(tmp_path):
    model = torch.nn.Linear(2, 2)
    elsewhere = WholeCheckpointer(tmp_path / "elsewhere", {"model": model})
    elsewhere.save_and_keep_only(max_keys=["score"], keep_recent=True)
    tmp_path = tmp_path / "best"
    checkpointer = WholeCheckpointer(tmp_path, {"model": model})
    for score in (1, 3, 2):
        checkpointer.save_and_keep_only(
            meta={"score": score}, max_keys=["score"], keep_recent=False
        )
    (kept,) = tmp_path.iterdir()
    assert checkpointer.find_checkpoint().meta["score"] == 3
    assert kept.name.startswith("CKPT+")


def test_a_folder_that_is_written_again_is_read_again(tmp_path):
    """Its name is of the second, which two checkpoints may share."""
    model = torch.nn.Linear(2, 2)
    checkpointer = WholeCheckpointer(tmp_path, {"model": model})
    for epoch in (1, 2):
        checkpointer.save_checkpoint(meta={"epoch": epoch}, name="one")
        (found,) = checkpointer.list_checkpoints()
        assert found.meta["epoch"] == epoch
        found.meta["epoch"] = "changed by who asked"
        (found,) = checkpointer.list_checkpoints()
        assert found.meta["epoch"] == epoch
        checkpointer.delete_checkpoints(num_to_keep=0)
        assert checkpointer.list_checkpoints() == []


@pytest.fixture
def saved(tmp_path):
    """A checkpointer with three checkpoints of a number that grows."""
    model = torch.nn.Linear(1, 1)
    checkpointer = WholeCheckpointer(tmp_path, {"model": model})
    checkpointer.paths = []
    for number in (1.0, 2.0, 3.0):
        torch.nn.init.constant_(model.weight, number)
        checkpoint = checkpointer.save_checkpoint(meta={"epoch": number})
        checkpointer.paths.append(checkpoint.path)
    return checkpointer


def halve(file):
    """Cuts a file off."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def blank(file):
    """Leaves a file's size, and nothing in it."""
    file.write_bytes(bytes(file.stat().st_size))


@pytest.mark.parametrize(
    "harm", [halve, blank, lambda f: f.write_bytes(b""), lambda f: f.unlink()]
)
@pytest.mark.parametrize(
    "name", ["model.ckpt", "CKPT.yaml", "CKPT.files.json", "*"]
)
@pytest.mark.fault("checkpoint: torn, empty or missing files")
def test_a_damaged_checkpoint_is_skipped(harm, name, saved, caplog):
    for file in sorted(saved.paths[2].glob(name)):
        harm(file)
    again = WholeCheckpointer(saved.checkpoints_dir, saved.recoverables)
    assert again.recover_if_possible().path == saved.paths[1]
    assert saved.recoverables["model"].weight.item() == 2.0
    assert caplog.text.count(f"{saved.paths[2].name}' is skipped") == 1
    again.save_checkpoint(meta={"epoch": 4.0})
    assert again.recover_if_possible().meta["epoch"] == 4.0


@pytest.mark.fault("checkpoint: torn, empty or missing files")
def test_nothing_whole_is_nothing_to_load(saved, caplog):
    for path in saved.paths:
        blank(path / "model.ckpt")
    assert saved.recover_if_possible() is None
    assert caplog.text.count("is skipped") == 3


@pytest.mark.fault("checkpoint: clock set back")
def test_a_clock_that_is_set_back_changes_nothing(saved, monkeypatch):
    """Not what is loaded, and not what is kept."""
    clock = speechbrain.utils.checkpoints.time
    monkeypatch.setattr(clock, "time", lambda: 1000.0)
    saved.save_checkpoint(meta={"epoch": 4.0})
    assert saved.recover_if_possible().meta["epoch"] == 4.0
    saved.save_and_keep_only(
        end_of_epoch=False,
        num_to_keep=1,
        ckpt_predicate=lambda c: "inside" in c.meta,
        meta={"inside": 1},
    )
    saved.save_and_keep_only(
        end_of_epoch=False,
        num_to_keep=1,
        ckpt_predicate=lambda c: "inside" in c.meta,
        meta={"inside": 2},
    )
    assert saved.find_checkpoint().meta["inside"] == 2
    assert len(saved.list_checkpoints()) == 5


@pytest.mark.fault("checkpoint: power cut")
def test_all_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    """What fsync saw, in the order of events."""
    events = []
    fsync, rename = os.fsync, Path.rename

    def noted_fsync(descriptor):
        events.append(Path(f"/proc/self/fd/{descriptor}").resolve().name)
        fsync(descriptor)

    def noted_rename(path, target):
        events.append("renamed")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "rename", noted_rename)
    checkpointer = WholeCheckpointer(tmp_path, {"m": torch.nn.Linear(1, 1)})
    path = checkpointer.save_checkpoint().path
    files = {"m.ckpt", "CKPT.yaml", "CKPT.files.json"}
    assert set(events[:3]) == files == {f.name for f in path.iterdir()}
    assert events[3:] == [f"PARTIAL-{path.name}", "renamed", tmp_path.name]
