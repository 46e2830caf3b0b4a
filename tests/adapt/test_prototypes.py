"""Stored clips of the classes that an artefact knows."""

import pytest
import torch
from speechbrain_petl.adapt.prototypes import draw, pack, unpack
from speechbrain_petl.artefacts.restate import restate


def test_stored_clips_that_are_damaged(make_artefact, tmp_path):
    good = pack(torch.ones(2, 3), torch.tensor([0, 1]))
    for bad in (
        {**good, "embeddings": good["embeddings"][:-4]},
        {**good, "embeddings": "<script>"},
        {**good, "targets": [0, 2]},
        {**good, "targets": []},
        pack(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([5])),
    ):
        with pytest.raises(ValueError, match="prototypes .* are damaged"):
            unpack(bad, 2)
    make_artefact(tmp_path / "a", "linear")
    facts = {"prototypes": {"train": good, "valid": {**good, "width": "x"}}}
    with pytest.raises(ValueError, match="prototypes.valid.width"):
        restate(tmp_path / "a", tmp_path / "b", facts)


def test_so_many_of_each_class():
    targets = [0] * 20 + [1] * 3
    found = draw(targets, 5, seed=1)
    assert [targets[row] for row in found] == [0] * 5 + [1] * 3
    assert found == draw(targets, 5, seed=1) != draw(targets, 5, seed=2)
