"""The corpus on the disk: there, whole, all of it readable."""

import pytest
from speechbrain_petl.dataio.corpus import require_corpus, warn_if_excerpt


def test_require_corpus(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder .*gone.*: get it"):
        require_corpus(tmp_path / "gone", ["m.csv"], "Corpus", "get it.")
    with pytest.raises(FileNotFoundError, match="not the root of.*no m.csv"):
        require_corpus(tmp_path, ["m.csv"], "Corpus", "get it.")
    (tmp_path / "t.csv").touch()
    assert require_corpus(str(tmp_path), ["t.csv"], "Corpus", "") == tmp_path


def test_warn_if_excerpt(tmp_path, caplog):
    warn_if_excerpt("Corpus", tmp_path, {"clips": (5, 5)})
    assert not caplog.records
    warn_if_excerpt("Corpus", tmp_path, {"clips": (3, 5), "folds": (1, 1)})
    assert "3 of 5 clips:" in caplog.text and "folds" not in caplog.text
