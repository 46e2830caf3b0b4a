"""Files and folders appear whole or not at all."""

import pytest
from speechbrain_petl.utils.files import (
    climbs_out,
    read_json,
    replacing,
    swapping_folder,
)


def test_dots_that_do_not_climb():
    assert not climbs_out("./audio/a..b.wav")


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    file = tmp_path / "train.json"
    file.write_text("old", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        with replacing(file) as temporary:
            temporary.write_text("ne", encoding="utf-8")
            raise KeyboardInterrupt
    assert file.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("content", ["", "[]", "{", "null", "[" * 99999])
def test_a_damaged_json_file_is_named(content, tmp_path):
    file = tmp_path / "a.json"
    file.write_text(content)
    with pytest.raises(ValueError, match="a.json' is damaged"):
        read_json(file)


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path):
    target = tmp_path / "out"
    for text in ("one", "two"):
        with swapping_folder(target) as new:
            (new / "a").write_text(text)
        assert (target / "a").read_text() == text
    with pytest.raises(KeyboardInterrupt):
        with swapping_folder(target) as new:
            (new / "a").write_text("three")
            raise KeyboardInterrupt
    assert (target / "a").read_text() == "two"
    assert list(tmp_path.iterdir()) == [target]
