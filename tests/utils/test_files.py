"""Files and folders appear whole or not at all."""

import pytest
from speechbrain_petl.utils.files import climbs_out, replacing


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
