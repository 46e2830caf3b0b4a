"""A file is read once, and again as soon as it may be another one."""

import hashlib
import json
import os

import pytest
from speechbrain_petl.dataio import digests
from speechbrain_petl.dataio.digests import digests_of


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """Two files, written long ago as far as time stamps tell."""
    monkeypatch.setenv("SPEECHBRAIN_PETL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(digests, "SETTLED", -1 << 62)
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name in "ab":
        (folder / name).write_bytes(name.encode() * 100)
    return folder


@pytest.fixture
def read(monkeypatch):
    """The names of the files that were read."""
    names, original = [], digests.digest_of

    def note(file):
        """Notes what is read."""
        names.append(os.path.basename(file))
        return original(file)

    monkeypatch.setattr(digests, "digest_of", note)
    return names


def test_each_file_is_read_once(corpus, read):
    first = digests_of(corpus, ["b", "a", "a"])
    assert list(first) == ["a", "b"]
    assert first["a"] == hashlib.sha256(b"a" * 100).hexdigest()
    assert sorted(read) == ["a", "b"]
    (corpus / "c").write_bytes(b"c")
    again = digests_of(corpus, "cba")
    assert list(again) == ["a", "b", "c"], "an order that no cache changes"
    assert read[2:] == ["c"]


def test_a_changed_file_is_read_again(corpus, read):
    """Of the same size, and with its time put back."""
    before, file = digests_of(corpus, "a"), corpus / "a"
    times = file.stat()
    file.write_bytes(b"x" * 100)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert file.stat().st_mtime_ns == times.st_mtime_ns
    assert digests_of(corpus, "a") != before


def test_what_was_just_written_is_not_trusted(corpus, read, monkeypatch):
    monkeypatch.setattr(digests, "SETTLED", 3_600_000_000_000)
    digests_of(corpus, "a")
    digests_of(corpus, "a")
    assert read == ["a", "a"]


@pytest.mark.parametrize("content", ["", "[]", '{"a": 3}', '{"a": [1, 2]}'])
def test_a_damaged_record_is_made_anew(content, corpus, read, tmp_path):
    wanted = digests_of(corpus, "ab")
    (record,) = (tmp_path / "cache" / "digests").iterdir()
    record.write_text(content)
    assert digests_of(corpus, "ab") == wanted
    assert json.loads(record.read_text())["a"][-1] == wanted["a"]


def test_without_a_cache_every_file_is_read(corpus, read, monkeypatch):
    monkeypatch.setenv("SPEECHBRAIN_PETL_CACHE", str(corpus / "a"))
    assert digests_of(corpus, "b") == digests_of(corpus, "b")
    assert read == ["b", "b"]
