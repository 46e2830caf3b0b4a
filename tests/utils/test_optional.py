"""A package that is missing is named, with what brings it."""

import pytest
from speechbrain_petl.utils.optional import require


def test_what_is_there_and_what_is_not():
    assert require("json", "experiments", "x").dumps(1) == "1"
    with pytest.raises(
        ValueError, match=r"^plot needs no_such: pip install .*"
    ):
        require("no_such", "experiments", "plot")
