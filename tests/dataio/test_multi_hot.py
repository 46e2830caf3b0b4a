"""Targets of clips with several labels, or none."""

import pytest
from speechbrain_petl.dataio.labels import load_label_encoder, write_label_map
from speechbrain_petl.dataio.multi_hot import multi_hot


@pytest.fixture
def encoder(tmp_path):
    """A label map of three labels."""
    write_label_map(tmp_path / "map.txt", ["dog", "siren", "rain"])
    return load_label_encoder(str(tmp_path / "map.txt"))


@pytest.mark.parametrize(
    ("labels", "target"),
    [([], [0, 0, 0]), (["rain", "dog"], [1, 0, 1]), (["siren"], [0, 1, 0])],
)
def test_each_label_is_a_one(encoder, labels, target):
    assert multi_hot(labels, encoder).tolist() == target


def test_an_unknown_label_is_named(encoder):
    with pytest.raises(ValueError, match="label 'wolf' is not in .* of 3"):
        multi_hot(["dog", "wolf"], encoder)
