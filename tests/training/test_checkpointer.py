"""A checkpoint is there whole, or it is not there."""

import pytest
import torch
from speechbrain_petl.training.checkpointer import WholeCheckpointer


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
