"""Stored clips of the classes that an artefact knows."""

import pytest
import torch
from speechbrain_petl.adapt.one_label import OneLabel
from speechbrain_petl.adapt.prototypes import draw, pack, thin, unpack
from speechbrain_petl.adapt.tags import Tags
from speechbrain_petl.adapt.task import Given
from speechbrain_petl.artefacts.restate import restate


def test_stored_clips_that_are_damaged(make_artefact, tmp_path):
    one, tags = OneLabel(), Tags()
    good = pack(Given(torch.ones(2, 3), torch.tensor([0, 1])), one)
    for bad in (
        {**good, "embeddings": good["embeddings"][:-4]},
        {**good, "embeddings": "<script>"},
        {**good, "targets": [0, 2]},
        {**good, "targets": []},
        pack(Given(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([5])), one),
        {**good, "targets": ["01", "10"]},
    ):
        with pytest.raises(ValueError, match="prototypes .* are damaged"):
            unpack(bad, 2, one)
    for targets in ([0, 1], ["01", "1"], ["01", "2-"], ["01"], []):
        with pytest.raises(ValueError, match="prototypes .* are damaged"):
            unpack({**good, "targets": targets}, 2, tags)
    make_artefact(tmp_path / "a", "linear")
    facts = {"prototypes": {"train": good, "valid": {**good, "width": "x"}}}
    with pytest.raises(ValueError, match="prototypes.valid.width"):
        restate(tmp_path / "a", tmp_path / "b", facts)


def test_so_many_of_each_class():
    targets = [0] * 20 + [1] * 3
    members = OneLabel().members(torch.tensor(targets))
    found = draw(members, 5, seed=1)
    assert [targets[row] for row in found] == [0] * 5 + [1] * 3
    assert found == draw(members, 5, seed=1) != draw(members, 5, seed=2)


def test_what_nobody_knows_of_a_tag_is_kept():
    y = torch.tensor([[1.0, 0.0, torch.nan], [torch.nan, torch.nan, 1.0]])
    packed = pack(Given(torch.ones(2, 3), y), Tags())
    assert packed["targets"] == ["10-", "--1"]
    again = unpack(packed, 3, Tags()).y
    assert torch.equal(again.isnan(), y.isnan())
    assert torch.equal(again.nan_to_num(), y.nan_to_num())


@pytest.mark.parametrize("most, each", [(10**6, 8), (130, 4), (10, 1)])
def test_many_classes_have_fewer_clips_each(most, each):
    y = torch.arange(5).repeat_interleave(8)
    few = thin(Given(torch.ones(40, 3), y), OneLabel(), 0, most)
    assert 2 * few.x.numel() <= most and len(few.x) == len(few.y)
    assert torch.bincount(few.y).max() == each
