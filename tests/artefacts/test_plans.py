"""Plans: rows of the list, and what an artefact may ask of them."""

import pytest
from speechbrain_petl.artefacts.kinds import Number, Record, Text
from speechbrain_petl.artefacts.plans import (
    LOCATED,
    ROLES,
    Located,
    Made,
    Plan,
    Row,
)

LINEAR = Row("head", "torch.nn.Linear", Record({"in_features": Number(1, 9)}))
RELU = Row("activation", "torch.nn.ReLU", Record({}))


def test_a_row_imports_its_class():
    import torch

    assert LINEAR.load() is torch.nn.Linear
    assert LINEAR.is_made_at_once and not RELU.is_made_at_once
    assert set(ROLES.values()) == {"!new", "!name"}


@pytest.mark.parametrize("address", ["torch.nn.NoSuch", "torch.no_such.Linear"])
def test_a_class_that_is_not_installed_is_named_with_its_package(address):
    row = Row("head", address, Record({}))
    with pytest.raises(ValueError, match=f"'{address}', .* pip install torch,"):
        row.load()


def test_a_plan_fits_by_role_and_by_its_arguments():
    head = Made("head")
    assert head.misfits(Plan(LINEAR, {"in_features": 3}), "x") == []
    (problem,) = head.misfits(Plan(LINEAR, {"in_features": 10}), "x")
    assert problem.startswith("x.in_features should be")
    (problem,) = head.misfits(Plan(RELU, {}), "x")
    assert "torch.nn.ReLU" in problem and "one of the head classes" in problem
    assert len(head.misfits("torch.nn.Linear", "x")) == 1
    assert Made().misfits(Plan(RELU, {}), "x") == [], "of any role"


def test_a_source_is_located_and_nothing_else():
    assert LOCATED.misfits(LOCATED, "source") == []
    for other in (Located(), "MIT/ast", None):
        (problem,) = LOCATED.misfits(other, "source")
        assert problem.startswith("source should be")
    assert Text(9).misfits(LOCATED, "source")
