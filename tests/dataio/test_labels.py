"""Label maps keep the official order of the classes."""

import pytest
from speechbrain_petl.dataio.labels import (
    labels_by_index,
    load_label_encoder,
    write_label_map,
)

from speechbrain.dataio.encoder import CategoricalEncoder


def test_label_map_keeps_the_order_given(tmp_path):
    write_label_map(tmp_path / "map.txt", ["z", "a|b", "m"])
    encoder = CategoricalEncoder.from_saved(tmp_path / "map.txt")
    assert encoder.ind2lab == {0: "z", 1: "a|b", 2: "m"}


def test_labels_by_index():
    assert labels_by_index([(9, "z"), (2, "b"), (9, "z")]) == ["b", "z"]
    with pytest.raises(ValueError, match="Class 1 is called both 'a' and 'b'"):
        labels_by_index([(1, "a"), (1, "b")])
    with pytest.raises(ValueError, match="both the numbers 1 and 2"):
        labels_by_index([(1, "a"), (2, "a")])


def test_a_missing_label_map_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no label map at"):
        load_label_encoder(str(tmp_path / "label_encoder.txt"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "'a' => x\n",
        "'a' 0\n",
        "=>\n",
        "[] => 0\n",
        "'a' => 0\n'b' => 2\n",
        "(" * 3000 + " => 0\n",
    ],
)
def test_a_malformed_label_map_is_refused(text, tmp_path):
    path = tmp_path / "label_encoder.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match="label_encoder.txt' is no label map"):
        load_label_encoder(str(path))
